package engine

// event is something that happened, as the machine is told.
type event struct {
	what       happening
	ticket     ticket
	kind       Kind
	result     Result
	generation uint32
	err        error
}

type happening uint8

const (
	began      happening = iota // the actor runs
	taken                       // a job came from a mailbox
	ordered                     // a merge, abort or clear was asked for
	awaited                     // a call waits for the clear state
	pinAsked                    // a pin was asked for
	left                        // a pin was released, or a call that waited has gone
	graceOver                   // a pin's grace period is over
	folded                      // the fold of a generation ended
	foldRested                  // the pause before the next fold is over
	closed                      // the table is being closed
	dropped                     // nobody wants a job any more; it is not under way
	done                        // the effect was had
	burned                      // it was not, and never will be: its number is void
	postponed                   // it was refused for a reason that passes
	refused                     // it was refused
	lapsed                      // Apply or Settle ended without an answer
	disowned                    // the table is fenced or lost
	rested                      // the pause of the current job is over
)

// action is something to be done, as the machine orders.
type action struct {
	do      doing
	ticket  ticket
	kind    Kind
	view    View // doSend: what the effect starts from
	attempt int
	err     error
}

type doing uint8

const (
	doPublish    doing = iota // show the machine's view to everybody
	doSend                    // claim the job's callers, apply its effect
	doSettle                  // settle the current effect
	doRelease                 // the job was not done: its callers may leave as if it had not been sent
	doRest                    // pause, then say rested
	doAnswer                  // answer a job's callers or a waiting call
	doGrant                   // grant a pin
	doHurry                   // hurry a pin and start its grace period
	doExpire                  // end a pin
	doFold                    // ask for the fold of the view's generation
	doRestFold                // pause, then say foldRested
	doEndRegular              // end the regular spans
	doEndScratch              // end the spans of the scratch session
	doEndLife                 // end all spans, bound or not
)
