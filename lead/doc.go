// Package lead has one of many processes own a table.
//
// In a fleet every process reads a table, through package mirror or a table.Reader, but only one may write it. [Run] waits until it is this
// process's turn, opens the table and calls a function with it. When the owner ends, another takes over: within 250 ms after it has
// ended in an orderly way, and within the length of the lease and a second after it was killed or cut off. Readers and mirrors go on
// answering meanwhile.
//
// # What is promised
//
// The owner holds a lease, which is a part of the table in Redis: taken in the step that claims the table, renewed six times in its length
// and given up when the table is closed. Others see by the clock of the Redis server whether it is over. The owner goes by its own
// clock, the monotonic one, from before the last successful renewal was sent: so the context of its function ends before anybody else
// gets the table. That holds while none of the owner's clocks stands still (that of a virtual machine that is suspended does). Where the
// server's clock jumps back nothing happens but that successors wait longer, at most for the length of the lease once more. Where it jumps
// forward, all candidates still wait until the lease is over by their own clocks, from the last renewal that they have seen; one that has just
// started waits for a renewal first, and takes the table only if none gets through. Who opens the table by other means, as an operator
// does, ends the former owner's context with its next renewal: after a sixth of the lease.
//
// What keeps the data right is not the lease but the table: each write carries the epoch of its owner, and one of a former owner
// is ErrFenced and changes nothing, however late it comes. The lease is for what the function does beside: calling other systems, say.
//
// Who was fenced stays out for the length of one lease. An operator's plain Open holds a lease too, so the fleet does not take the table
// back until the operator has closed it, or is gone.
//
// # Where to find what
//
//	options.go  what Run can be told
//	run.go      Run, and waiting for one's turn
//	term.go     the time as the owner
//	watch.go    what a candidate has seen of the leases of others
package lead
