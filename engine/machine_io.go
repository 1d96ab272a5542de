package engine

// event is something that has happened, as the actor tells the machine.
type event struct {
	what       eventType
	ticket     ticket
	kind       Kind
	result     Result
	generation uint32
	err        error
	joined     bool   // taken: several callers' requests are joined in the effect
	sweeps     bool   // taken: the effect is a Delete that runs in the clear state alone
	general    bool   // postponed, refused: the reason is not the effect's own
	session    ticket // taken, commanded, parted: the scratch session that the effect belongs to; 0: none, or a plain one
	noted      bool   // commanded: the effect has a note
}

type eventType uint8

const (
	started          eventType = iota // the actor runs
	taken                             // the requests of an effect were taken from a mailbox
	commanded                         // a merge, abort, clear or repair was requested
	clearAwaited                      // a caller waits for the clear state
	pinRequested                      // a caller waits for a pin
	sessionRequested                  // a caller waits for a scratch session of its own
	holderLeft                        // the context of a session's holder has ended
	withdrawn                         // a pin was released, or the caller of a pending request has left
	graceOver                         // a pin's grace period is over
	folded                            // the fold of a generation ended
	foldFails                         // a step of the fold of a generation has failed, or none does any more
	foldPauseOver                     // the pause before the next fold is over
	closed                            // the table is being closed
	dropped                           // all callers of an effect have left; it is not under way
	applied                           // the effect was applied
	burned                            // it was not and never will be applied: its number is void
	postponed                         // it was refused for a reason that passes
	refused                           // it was refused
	unanswered                        // Apply or Settle ended without an answer
	tableBroken                       // Apply or Settle says that the table is fenced or lost
	foundBroken                       // a read says so
	unsettled                         // Settle was refused, for a reason that does not pass
	pinged                            // a small request got through
	unpinged                          // a small request did not get through
	parted                            // one request of an effect that was taken apart is an effect now
	needless                          // nothing is left to do of the effect that was to be sent
	nobodyWaits                       // no request waits that may be received now
	somebodyWaits                     // a request waits that may not be received now
	arrived                           // such a request has just come
	pauseOver                         // the pause of the current effect is over
)

// action is something that the actor must do.
type action struct {
	do       actionType
	ticket   ticket
	kind     Kind
	view     View // doSend: what the effect starts from
	attempts int
	err      error
}

type actionType uint8

const (
	doPublish         actionType = iota // show the machine's view to everybody
	doSend                              // claim the effect's requests, then send it
	doSettle                            // settle the current effect
	doRemember                          // remember the keys of the effect that was sent last
	doForget                            // forget all remembered keys
	doPing                              // find out whether a small request gets through
	doPart                              // take an effect apart: parted follows for each of its requests
	doGiveUp                            // answer an effect's callers with why it was never applied
	doUnclaim                           // the effect was not applied: undo the claims
	doPause                             // start a pause; pauseOver follows
	doAnswer                            // answer an effect's callers or a pending request
	doGrant                             // grant a pin
	doBeginSession                      // grant a session
	doAbandon                           // command the Abort of the session, whose holder has left
	doHurry                             // hurry a pin and start its grace period
	doExpire                            // end a pin
	doFold                              // request the fold of the view's generation
	doPauseFold                         // start a pause; foldPauseOver follows
	doEndRegularSpans                   // end the regular spans
	doEndScratchSpans                   // end the spans of the scratch session
	doEndAllSpans                       // end all spans, bound or not
)

func (m *machine) emit(a action) { m.actions = append(m.actions, a) }

func (m *machine) answer(t ticket, err error) { m.emit(action{do: doAnswer, ticket: t, err: err}) }

// without returns all but the removed elements, in the same array.
func without[T any](all []T, removed func(T) bool) []T {
	kept := all[:0]
	for _, x := range all {
		if !removed(x) {
			kept = append(kept, x)
		}
	}
	return kept
}
