// Package engine is one table's actor: the goroutine that owns the table's lock and applies all effects to it, one at a
// time. It knows encoded rows and a small Store. It knows neither records nor Redis.
//
// # Authority
//
// The truth about a table is in its store, and changes only by numbered effects. Only the actor sends effects, so its
// view (state, generation, version, number) is the truth as of the last effect whose outcome is known. If the table gets
// a later owner, the store refuses the effects of this one (ErrFenced). Inside the process:
//
//   - machine (machine*.go) is the lock, as a pure function from event to actions. It knows no channel, clock, store or
//     request, only tickets. The golden scripts of testdata are its specification.
//   - Actor (actor.go, perform.go) is the goroutine around it. It alone reads and writes the machine, the batches and
//     the pins, and it never waits for the store.
//   - effector (effector.go) is a second goroutine, which makes one call of the Store at a time. How the call ended comes
//     back to the machine as an event.
//   - callers wait for the answer to their request (request.go), for the end of their context, or for Close.
//
// # The lock
//
//	               first Stage, or Discard that marks
//	+-----------+ -----------------------------------> +-----------+
//	|   clear   |                                      |  active   |
//	| Put       |                                      | Stage     |
//	| Delete    | <----------------------------------- | Discard   |
//	+-----------+            Abort, Clear              +-----------+
//	      ^                                                  |
//	      |                                                  | Merge: generation + 1
//	      |  fold done, Clear                                v
//	      |                                            +-----------+
//	      +------------------------------------------- |  merging  |
//	                                                   | no writes |
//	                                                   +-----------+
//
// Regular writes (Put, Delete), scratch writes (Stage, Discard) and everything else come in by channels of their own. The
// actor does not receive a kind of write that the state does not admit: its channel is nil in the actor's select. So
// writes wait in order, in a bounded mailbox and then for room in it, and never in front of the merge, abort or fold that
// lets them go on.
//
// An effect takes the lock (holding), waits for the pins that it would disturb, and is sent (applying). Requests that wait
// in the mailbox meanwhile are joined into the next effect, up to Config.BatchRows.
//
//	            no pin to wait for           applied, refused
//	holding --------------------> applying --------------------> answered
//	   ^                           |   \ no answer                  ^
//	   | pause over      postponed |    v                           | applied
//	   |                           |  settling <--> settlePaused ---+
//	   |                           v     |
//	   +------------------------ paused <+ burned
//
// After a merge the staged rows must be moved to where merged rows are. This is the fold, a kind of compaction. The actor
// requests it (Config.Fold) and is told of its end (Actor.Folded).
//
// # Pins
//
// A pin keeps what the readers of one generation see as it is. Put and Delete wait for pins of the present generation,
// Clear for all pins, the fold for pins of older generations; Stage, Discard, Merge and Abort wait for none. A pin is
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
// The store refuses for a reason that passes: the effect keeps its number and is sent again, until its callers have left.
// For another reason: its callers get that reason, and the table goes on.
//
// The caller leaves (its context ends) before its effect was sent: nothing has been done, and an effect whose callers have
// all left is dropped. After that the caller gets ErrUnknownOutcome, unless the effect is known not to be applied and
// waits to be sent again.
//
// The store says ErrFenced or ErrLost: that is final. All callers that wait get the error, and so do all later ones.
//
// The fold fails: the state stays merging, which readers do not notice and writers wait for. The fold is requested again.
//
// The process dies: the next owner finds one of the three states in the store and starts a new actor from it.
//
// Close: calls that wait get ErrClosed, and pins expire. The effect under way is waited for, so that its callers get its
// true result.
package engine
