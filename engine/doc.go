// Package engine is one table's actor: the goroutine that owns the table's lock and has all effects on it, one at a
// time. It knows encoded rows and a small Store, neither records nor Redis.
//
// # Authority
//
// The truth about a table is in its store, and changes only by numbered effects. The actor is the only one who sends
// them, so its view (state, generation, version, number) is the truth as of the last effect whose outcome is known.
// A later owner of the table is told apart by the store, which then refuses (ErrFenced). Inside the process:
//
//   - machine (machine*.go) is the lock, as a pure function from event to actions. It knows no channel, clock, store or
//     request, only tickets. The golden scripts of testdata are its specification.
//   - Actor (actor.go, perform.go) is the goroutine around it. It alone reads and writes the machine, the batches and
//     the pins, and it never waits for the store.
//   - effector (effector.go) is a second goroutine, which does: one call of the Store at a time, whose outcome comes back
//     as an event.
//   - callers wait for the answer in their request (request.go), for their context, or for the actor's end.
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
// Regular writes (Put, Delete), scratch writes (Stage, Discard) and everything else come in by channels of their own. A
// kind that the state does not admit is not received: its mailbox is nil in the actor's select. So writers wait in order,
// in a bounded mailbox and at its door, and never in front of the merge, abort or fold that will let them go on.
//
// An effect takes the lock (holding), waits for the pins it would disturb, and flies. What waits in the mailbox meanwhile
// is joined into the next effect, up to Config.BatchRows.
//
//	            no pin in the way            done, refused
//	holding --------------------> flying ---------------------> answered
//	   ^                           |   \ no answer                  ^
//	   | pause over      postponed |    v                           | done
//	   |                           |  settling <---> doubting ------+
//	   |                           v     |            (pause)
//	   +----------------------- resting <+ burned
//
// # Pins
//
// A pin keeps what the readers of one generation see as it is. Put and Delete wait for pins of the present generation,
// Clear for all of them, the fold for pins of older generations; Stage, Discard, Merge and Abort for none. A pin is granted
// when no effect that changes what readers see has the lock, and while that one rests. Whoever begins to wait for a pin makes its reader hurry, and
// starts its grace period, once: when that is over the pin expires and the effect goes on.
//
// # Time
//
//	a call whose context ends     leaves at once: if its effect was not sent, nothing has been done
//	a stalled reader              holds an effect up for Config.Grace (5 s), counted from the first that waits
//	a store that refuses for now  is asked again after Config.Backoff: 5 ms, doubling up to 500 ms, half of it by chance
//	a fold that failed            is asked for again after the same pauses
//	Close                         waits for the call of the store under way, nothing else
//
// # Failures
//
// The store's answer is lost: Settle finds out whether the effect was had; if not, its number is void from then on. Until
// that is known nothing is sent and no pin is granted. The same effect then goes on under a new number. So it is after a panic
// in the store.
//
// The store refuses for a reason that passes: the effect keeps its number and is sent again, until its callers have left.
// For another reason: its callers get that reason, and the table goes on.
//
// The caller leaves before its effect was sent: it is as if it had never asked, and an effect that nobody waits for any more
// gives the lock back. After that: ErrUnknownOutcome, until the effect is known not to have been had.
//
// The store says ErrFenced or ErrLost: that is final. All who wait are told, and so is whoever asks later.
//
// The fold fails: the state stays merging, which readers do not notice and writers wait for; it is asked for again.
//
// The process dies: the next owner finds one of the three states in the store and starts a new actor from it.
//
// Close: calls that wait get ErrClosed, pins expire, and the effect under way is waited for, so that its callers hear the
// truth.
package engine
