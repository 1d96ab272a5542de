package engine

import "context"

// Deletion names the records to delete or discard. A mark without a Value is judged by key alone. A
// mark with a Value marks the record only if it still is what the caller has read. With Bounds, all
// records are marked or none.
type Deletion struct {
	Marks     []Mark
	Index     int     // the index that the marks' scores are of
	ReadAt    uint64  // the table's number when the caller read the marks: while that has not changed, nothing is compared
	Span      *Span   // the deletion is refused once this has ended; may be nil
	Witnesses []Mark  // see Effect
	Bounds    []Bytes // see Effect
	Sweep     *Sweep  // in place of all the others but Span
}

func (d *Deletion) conditional() bool {
	if d.Sweep != nil || len(d.Bounds) > 0 || len(d.Witnesses) > 0 {
		return true
	}
	for i := range d.Marks {
		if d.Marks[i].Value != nil {
			return true
		}
	}
	return false
}

// Put stores rows, in order. It waits while the state is not clear (with Config.WriteThrough: while it is merging), for pins, and for
// its turn, until ctx ends. If ctx ends before the effect was sent, the error Is ctx.Err() and nothing was
// done (D9); if it ends later, the error Is ErrUnknownOutcome too. Other errors: ErrClosed,
// ErrFenced, ErrLost, or why the store refused. Rows of one call are stored all or not at all; give
// no more than Config.BatchRows. The rows belong to the engine from now on, however Put ends.
func (a *Actor) Put(ctx context.Context, rows []Row) error { return a.writeRows(ctx, Put, rows) }

// Stage stores rows in the scratch space, where they stay unseen until Merge. It starts a scratch
// session if there is none. It waits while a session is on that has a holder, and while a merge is being folded, but not for pins.
// Its errors are those of Put, and ErrGenerationsExhausted after 2^32-1 merges. Rows whose keys were written through since the session
// began are passed over.
func (a *Actor) Stage(ctx context.Context, rows []Row) error { return a.writeRows(ctx, Stage, rows) }

// Delete removes rows and returns a verdict for each mark, in order. It waits as Put does, but with a span or conditions always while
// the state is not clear. Its errors are the same; when d.Span has ended, also that span's error.
func (a *Actor) Delete(ctx context.Context, d Deletion) ([]Verdict, error) {
	return a.writeMarks(ctx, Delete, d)
}

// Sweep makes one step of a deletion by place, in an effect of its own, and returns the store's reply. It waits as Delete does, and its
// errors are the same.
func (a *Actor) Sweep(ctx context.Context, s Sweep, span *Span) ([]Verdict, error) {
	return a.submitForVerdicts(ctx, deletionRequest(Delete, Deletion{Sweep: &s, Span: span}))
}

// SweepStaged makes one step of a discard by place, in an effect of its own, and returns the store's reply. If too much was written
// through since the session began for one step, it does nothing and returns ErrChanged. Otherwise it is like Discard.
func (a *Actor) SweepStaged(ctx context.Context, s Sweep, span *Span) ([]Verdict, error) {
	return a.submitForVerdicts(ctx, deletionRequest(Discard, Deletion{Sweep: &s, Span: span}))
}

// Discard stages tombstones, and returns a verdict for each mark, in order. It starts a scratch
// session if it marks anything and there is none, and binds an unbound d.Span to the session. It
// waits as Stage does, and its errors are those of Stage and Delete. What was written through since the session began is Missing.
func (a *Actor) Discard(ctx context.Context, d Deletion) ([]Verdict, error) {
	return a.writeMarks(ctx, Discard, d)
}

// DiscardAll discards everything in one step, whatever the table holds, and returns how many records that is. Until its merge is
// folded what is staged then stands for the whole table, and nothing that is not staged is seen after the merge. It starts a scratch
// session unless there is nothing to discard, or drops what the session has staged that DiscardAll began. What the session has written
// through stays, and is not counted. If another session is on, or too much was written through for one step,
// DiscardAll does nothing and returns ErrChanged. It waits as Stage does, and its other errors are those of Stage.
func (a *Actor) DiscardAll(ctx context.Context) (int, error) { return a.discardAll(ctx, nil) }

// discardAll is DiscardAll in a session that has a holder; nil: in the one that all share.
func (a *Actor) discardAll(ctx context.Context, of *Session) (int, error) {
	r := newRequest(DiscardAll)
	r.session = of
	if err := a.submit(ctx, r); err != nil {
		return 0, err
	}
	return r.count, nil
}

// Change is what one Apply does. Its rows belong to the engine from the call on.
type Change struct {
	Rows  []Row
	Marks []Mark // what to remove, by key alone; a key that is not there is passed over
	Note  []byte // nil: the note stays as it is
}

// Apply makes a change in an effect of its own: all of it or nothing. It waits as Put does, and its errors are the same. Give no
// key twice, and no more than Config.BatchRows rows and marks. An empty change does nothing.
func (a *Actor) Apply(ctx context.Context, c Change) error {
	if len(c.Rows)+len(c.Marks) == 0 && c.Note == nil {
		return a.checkUsable(ctx)
	}
	return a.submit(ctx, changeRequest(c))
}

// Update stores a row in place of the one with the same key that the caller has read when the table's number was at. If that is not
// there any more, Update does nothing and returns ErrChanged. It waits as Put does, and its other errors are the same. The row belongs
// to the engine from now on, and read must not be changed.
func (a *Actor) Update(ctx context.Context, row Row, read []byte, at uint64) error {
	return a.submit(ctx, updateRequest(row, Mark{Key: row.Key, Value: read}, at))
}

// EndedRegular returns the error of a caller of regular writes whose context has ended while it waited for its turn elsewhere.
func (a *Actor) EndedRegular(ctx context.Context) error { return a.reasons.ended(ctx, waitsForRegular) }

// Merge makes all staged rows visible at once and ends the scratch session; the fold follows in
// the background. If no session is on it returns nil. It waits for the effect under way, for
// merges, aborts and clears that came before it, and while a session is on that has a holder; never for pins. Its errors are those of
// Stage.
func (a *Actor) Merge(ctx context.Context) error { return a.command(ctx, newRequest(Merge)) }

// Abort drops all staged rows and ends the scratch session, whoever its holder is. It waits for the effect under way and for merges,
// aborts and clears that came before it. Its errors are those of Put.
func (a *Actor) Abort(ctx context.Context) error { return a.command(ctx, newRequest(Abort)) }

// Clear drops everything in any state (D11), and ends all spans and sessions. It waits as Abort does, and for all
// pins, at most the grace period. Its errors are those of Put.
func (a *Actor) Clear(ctx context.Context) error { return a.command(ctx, newRequest(Clear)) }

// Repair mends one thing in any state. It waits as Clear does, because readers may see the change, and its errors are those of
// Clear; also why the store refused, if there is nothing to mend.
func (a *Actor) Repair(ctx context.Context, d Damage) error { return a.command(ctx, repairRequest(d)) }

// Complete declares complete those indexes that were being built and have an entry for each row, in any state. It waits for the effect
// under way and for commands that came before it, never for pins. Its errors are those of Put; also why the store refused, if there
// is no such index.
func (a *Actor) Complete(ctx context.Context) error { return a.command(ctx, newRequest(Complete)) }

func (a *Actor) writeRows(ctx context.Context, k Kind, rows []Row) error {
	if len(rows) == 0 {
		return a.checkUsable(ctx)
	}
	return a.submit(ctx, rowsRequest(k, rows))
}

func (a *Actor) writeMarks(ctx context.Context, k Kind, d Deletion) ([]Verdict, error) {
	if len(d.Marks) == 0 {
		return nil, a.checkUsable(ctx)
	}
	return a.submitForVerdicts(ctx, deletionRequest(k, d))
}

func (a *Actor) submitForVerdicts(ctx context.Context, r *request) ([]Verdict, error) {
	if err := a.submit(ctx, r); err != nil {
		return nil, err
	}
	return r.verdicts, nil
}

// checkUsable returns why the table cannot be written; nil if it can. It answers calls without rows or marks.
func (a *Actor) checkUsable(ctx context.Context) error {
	s, err := a.Status(ctx)
	if err != nil {
		return err
	}
	return s.Broken
}

// submit puts a request into its mailbox and waits for the answer.
func (a *Actor) submit(ctx context.Context, r *request) error {
	r.caller = ctx
	in, before := a.intakeOf(r), ctx.Err()
	switch err := in.box.sendUnless(ctx, a.closing, r.spanDone(), r); {
	case err == errObsolete:
		return r.spanErr()
	case err != nil && err != ErrClosed && before == nil: // ctx has ended while the call waited for room
		return a.reasons.ended(ctx, r.waitClass())
	case err != nil:
		return err
	}
	if a.watchful.Load() {
		signal(a.arrived)
	}
	return a.await(ctx, r)
}

// intakeOf returns where a request comes in. A deletion that sweeps must not stand before writes that need not wait for a session.
func (a *Actor) intakeOf(r *request) *intake {
	switch {
	case r.session != nil:
		return &a.held
	case !r.kind.isRegular():
		return &a.scratch
	case a.cfg.WriteThrough && r.kind == Delete && r.sweeps():
		return &a.sweeps
	}
	return &a.regular
}

// signal writes to a channel that holds one. If an earlier signal is still unread, that one is enough.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// command sends a merge, abort, clear or repair to the run loop and waits for the answer.
func (a *Actor) command(ctx context.Context, r *request) error {
	r.caller = ctx
	if err := a.sendControl(ctx, func() { a.handleCommand(r) }); err != nil {
		return err
	}
	return a.await(ctx, r)
}

func (a *Actor) handleCommand(r *request) {
	if r.maybeEnd() {
		return
	}
	t := a.newTicket()
	a.batches[t] = newBatch(r, 0)
	a.tell(event{what: commanded, ticket: t, kind: r.kind, session: a.batches[t].session(), noted: r.note != nil})
}

// await waits for the answer. If the caller leaves, await tells the run loop, which may then drop an
// effect that waits for pins or for its turn.
func (a *Actor) await(ctx context.Context, r *request) error {
	err := r.await(ctx, a.closing, &a.reasons)
	if r.isAbandoned() {
		signal(a.abandoned)
	}
	return err
}

// sendControl makes the run loop call f. The run loop receives f in any state (D10).
func (a *Actor) sendControl(ctx context.Context, f func()) error {
	if ctx.Err() != nil {
		return Ended(ctx)
	}
	select {
	case <-a.closing:
		return ErrClosed
	default:
	}
	select {
	case a.control <- f:
		return nil
	case <-ctx.Done():
		return Ended(ctx)
	case <-a.closing:
		return ErrClosed
	}
}

// postControl is sendControl without a context. It does nothing once the table is closed.
func (a *Actor) postControl(f func()) { _ = a.sendControl(context.Background(), f) }
