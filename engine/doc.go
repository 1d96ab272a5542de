// Package engine is one table's actor: the goroutine that owns the table's lock and applies all effects to it, one at a
// time. It knows encoded rows and a small Store. It knows neither records nor Redis.
//
// # Authority
//
// The truth about a table is in its store, and only numbered effects change it. Only the actor sends effects, so its view
// (state, generation, version, number) is the truth after the latest effect whose outcome is known. If the table gets a later
// owner, the store refuses the effects of this one (ErrFenced). Inside the process:
//
//   - machine (machine*.go) is the lock, as a pure function from event to actions. It knows no channel, clock, store or
//     request, only tickets. The golden scripts of testdata are its specification.
//   - Actor (actor.go, perform.go) is the goroutine around it. It alone reads and writes the machine, the batches and
//     the pins, and it never waits for the store.
//   - effector (effector.go) is a second goroutine, which makes one call of the Store at a time. The end of the call comes
//     back to the machine as an event.
//   - callers wait for the answer to their request (request.go), for the end of their context, or for Close.
//
// # The lock
//
//	               first Stage, or discard of something
//	+-----------+ -----------------------------------> +-----------+
//	|   clear   |                                      |  active   |
//	| Put       |                                      | Stage     |
//	| Delete    | <----------------------------------- | Discard   |
//	| Apply     |            Abort, Clear              |           |
//	| Update    |                                      | with      |
//	+-----------+                                      | Config.   |
//	      ^                                            | Write-    |
//	      |                                            | Through:  |
//	      |                                            | Put       |
//	      |                                            | Delete    |
//	      |                                            | (by keys) |
//	      |                                            | Apply     |
//	      |                                            | Update    |
//	      |                                            +-----------+
//	      |                                                  |
//	      |                                                  | Merge: generation + 1
//	      |  fold done, Clear                                v
//	      |                                            +-----------+
//	      +------------------------------------------- |  merging  |
//	                                                   | no writes |
//	                                                   +-----------+
//
// Regular writes (Put, Delete, Apply, Update), scratch writes (Stage, Discard, DiscardAll) and everything else come in by channels of their own. The
// actor does not receive a kind of write that the state does not admit: its channel is nil in the actor's select. So
// writes wait in order, in a bounded mailbox and then for room in it, and never in front of the merge, abort or fold that
// lets them go on.
//
// With Config.WriteThrough regular writes run in the active state, too: they change what readers see and take their keys out of what is
// staged, in one effect. The actor remembers these keys until the session ends (writtenThrough), and passes them over in what is staged
// later; of an effect of which nothing is left it sends nothing. A discard by place takes them along, up to a bound. A Delete with a span or with conditions runs in the clear state alone,
// and comes in by a channel of its own, so that other writes do not stand behind it.
//
// A scratch session may have a holder (Session, Actor.Scratch). It is on from its grant on, although the state becomes active only with
// its first staged row, and its effects carry its ticket. Until its end plain scratch writes are not received, a plain Merge is passed
// over in the queue of commands, and requests for a session wait in a queue of the machine's, which comes before plain scratch writes.
// What the session itself stages comes in by a mailbox of its own. An Abort or Clear of anybody's ends it. When the context of its
// holder ends, what is queued of it is refused and what is staged is aborted before anything else begins; what is under way ends first: a
// merge that is applied has merged, one that was burned has not, and is not sent again. A Merge also looks at that context when it
// departs. That Abort has no caller, so it is not given up.
//
// The active and the merging state have a second form, in which what is staged stands for the whole table (View.Whole): DiscardAll
// begins such a session in one step, and its fold is one step, too. What is written through is then staged as well, and what was before
// is left by a DiscardAll: the actor gives it the rows. All else is the same in both forms.
//
// An effect takes the lock (holding), waits for the pins that it would disturb, and is sent (applying). Requests that wait
// in the mailbox meanwhile are joined into the next effect, up to Config.BatchRows. Apply and Update have effects of their own. An Update whose row is not
// the one that its caller has read is refused with ErrChanged.
//
//	            no pin to wait for           applied, refused
//	holding --------------------> applying --------------------> answered
//	   ^                           |   \ no answer                  ^
//	   |                 postponed |    v                           | applied
//	   | pause over                |  settling <--> settlePaused ---+
//	   |                           v     |
//	   |                       pinging   | burned: failed
//	   |      nothing passed       |     |
//	   +---------------- paused <--+-----+---> given up, sent apart
//	   |                   |    failed
//	   +---- aside <-------+
//	  the next turn      failed
//
// # Tries
//
// An effect has failed when it was certainly not applied and the store answers all the same. It was certainly not applied if its
// number is burned, or if it was refused for a reason that passes. The store answers if Settle got through, or a ping did: a
// Settle without an effect, which follows a refusal at once. Then the effect itself may be at fault, because it is too large for
// something on the way, say. While nothing gets through, nothing fails: the effect waits until its callers leave. A refusal that
// has nothing to do with the effect (RefusedError.General), such as a dial that fails, is no failure either.
//
//   - After each failure, and a pause, the effect goes aside: commands (Merge, Abort, Clear, Repair, Complete) go first, then one effect from the
//     mailboxes, if a request waits there. So an effect that fails holds up nobody.
//   - An effect in which requests of several callers are joined is taken apart after its second failure. It is taken apart at
//     once if it is refused for good for a reason of its own. Then each request is sent alone, with tries of its own. One caller's
//     rows are never split.
//   - An effect of one request that has failed as often as Config.Tries says is given up: its caller gets a GivenUpError with the
//     latest cause. It is certainly not applied, since its number is burned or was never used.
//
// # The fold
//
// After a merge the staged rows must come to where merged rows are. This is the fold, a kind of compaction. The actor
// requests it (Config.Fold) and is told of its end (Actor.Folded).
//
// # Pins
//
// A pin keeps what the readers of one generation see as it is. Put, Delete, Apply and Update wait for pins of the present generation,
// Clear and Repair for all pins, the fold for pins of older generations; scratch writes, Merge, Abort and Complete wait for none. A pin is
// granted when no effect that changes what readers see has the lock, and also while such an effect is paused. The first
// effect or fold that waits for a pin makes its reader hurry and starts its grace period. A grace period is started once;
// at its end the pin expires and the effect or fold goes on.
//
// # Time
//
//	a call whose context ends     returns at once: if its effect was not sent, nothing has been done
//	a stalled reader              delays effects by Config.Grace (5 s) at most, counted from the first that waits
//	a store that refuses for now  gets the effect again after a pause of Config.Backoff: 5 ms, doubling up to 500 ms;
//	                              a random part of up to half is taken off
//	a fold that failed            is requested again after the same pauses
//	Close                         waits for the call of the store under way, for nothing else, until GiveUp
//
// # Failures
//
// The store's answer is lost, or the store panics: Settle finds out whether the effect was applied. If it was not, its
// number is void from then on, and the same effect is sent again under a new number. Until the outcome is known nothing is
// sent and no pin is granted.
//
// The store refuses for a reason that passes: the effect keeps its number and is sent again, until its callers have left or
// it is given up (see Tries). For another reason: its callers get that reason, and the table goes on.
//
// Settle is refused for a reason that does not pass (a closed client, a password that is no longer right): the callers of the
// effect get ErrUnknownOutcome and that reason, and all callers that wait get the reason. Each later call makes the actor settle
// again, and gets the reason if that is refused again. If a fold is refused in this way, all who wait for it get the reason. Nobody
// is told of an attempt that was sent before he came: one further attempt is made first.
//
// Somebody waits for a scratch session or a fold: every half second (Backoff.Most) a ping finds out whether the table still has
// this owner and whether the store answers. If the ping is refused for a reason that does not pass, all who wait get the reason.
//
// The caller leaves (its context ends) before its effect was sent: nothing has been done. An effect whose callers have all left
// is dropped, at the last moment by Effect.Depart. A caller that leaves after that, or that shares its effect, gets
// ErrUnknownOutcome, unless the effect is known not to be applied and waits to be sent again. A WaitError stands beside either
// error: what the caller has waited for, since when, and what went
// wrong there last.
//
// The store says ErrFenced or ErrLost, or a reader of it does (Actor.FoundBroken): that is final. All callers that wait get the
// error, and so do all later ones; pins and spans end with it. Actor.Done is closed, and Actor.Err has the first reason.
//
// The fold fails: the state stays merging, which readers do not notice and writers wait for. The fold is requested again.
//
// The process dies: the next owner finds one of the three states in the store and starts a new actor from it.
//
// Close: calls that wait get ErrClosed, and pins expire. The effect under way is waited for, so that its callers get its
// true result.
package engine
