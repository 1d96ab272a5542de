package engine

import "context"

// Deletion names what to delete or discard. Its marks are judged by key alone when their Values
// are nil; else each is only marked if it still is what was seen, or, with Bounds, all are or none.
type Deletion struct {
	Marks     []Mark
	Index     int     // the index that the marks' scores are of
	Seen      uint64  // the table's number when the marks were read: if it still is, nothing is compared
	Span      *Span   // refuse the deletion when this has ended; may be nil
	Witnesses []Mark  // see Effect
	Bounds    []Bytes // see Effect
}

func (d *Deletion) conditional() bool {
	if len(d.Bounds) > 0 || len(d.Witnesses) > 0 {
		return true
	}
	for i := range d.Marks {
		if d.Marks[i].Value != nil {
			return true
		}
	}
	return false
}

// Put stores rows, in order. It waits while the state is not clear, for pins, and for its turn,
// until ctx ends. When ctx ends before the effect was sent, the error Is ctx.Err() and nothing was
// done (D9); after that it Is ErrUnknownOutcome too. Other errors: ErrClosed, ErrFenced, ErrLost,
// or why the store refused. Rows of one call are stored all or not at all; no more than
// Config.BatchRows of them, please. The rows are the engine's from now on, however Put ends.
func (a *Actor) Put(ctx context.Context, rows []Row) error { return a.store(ctx, Put, rows) }

// Stage stores rows in the scratch space, where they wait for Merge. It starts a scratch session if
// there is none, and waits while a merge is being folded; pins do not matter. Else it is as Put.
// There can be no more than 2^32-1 merges: then it is ErrGenerationsExhausted.
func (a *Actor) Stage(ctx context.Context, rows []Row) error { return a.store(ctx, Stage, rows) }

// Delete removes rows and returns a verdict for each mark, in order. It waits as Put does, and its
// errors are the same; when d.Span has ended, also that span's error.
func (a *Actor) Delete(ctx context.Context, d Deletion) ([]Verdict, error) {
	return a.mark(ctx, Delete, d)
}

// Discard stages tombstones, and returns a verdict for each mark, in order. It starts a scratch
// session if it marks anything and there is none, and binds an unbound d.Span to the session. It
// waits as Stage does, and its errors are those of Stage and Delete.
func (a *Actor) Discard(ctx context.Context, d Deletion) ([]Verdict, error) {
	return a.mark(ctx, Discard, d)
}

// Merge makes all that is staged visible at once and ends the scratch session; the fold follows in
// the background. Where no session is on it returns nil at once. It waits for the effect under way
// and for merges, aborts and clears that came before it, never for pins. Errors are as from Stage.
func (a *Actor) Merge(ctx context.Context) error { return a.order(ctx, Merge) }

// Abort drops all that is staged and ends the scratch session. Else it is as Merge.
func (a *Actor) Abort(ctx context.Context) error { return a.order(ctx, Abort) }

// Clear drops everything in any state (D11), and ends all spans. It waits as Merge does, and for all
// pins, at most the grace period. Errors are as from Put.
func (a *Actor) Clear(ctx context.Context) error { return a.order(ctx, Clear) }

func (a *Actor) store(ctx context.Context, k Kind, rows []Row) error {
	if len(rows) == 0 {
		return a.alive(ctx)
	}
	return a.submit(ctx, rowsRequest(k, rows))
}

func (a *Actor) mark(ctx context.Context, k Kind, d Deletion) ([]Verdict, error) {
	if len(d.Marks) == 0 {
		return nil, a.alive(ctx)
	}
	r := deletionRequest(k, d)
	if err := a.submit(ctx, r); err != nil {
		return nil, err
	}
	return r.verdicts, nil
}

// alive answers calls that ask for nothing.
func (a *Actor) alive(ctx context.Context) error {
	s, err := a.Status(ctx)
	if err != nil {
		return err
	}
	return s.Broken
}

// submit puts a request into its mailbox and waits for the answer.
func (a *Actor) submit(ctx context.Context, r *request) error {
	in := &a.scratch
	if r.kind == Put || r.kind == Delete {
		in = &a.regular
	}
	switch err := in.box.sendUnless(ctx, a.closing, r.spanDone(), r); {
	case err == errMoot:
		return r.spanErr()
	case err != nil:
		return err
	}
	return a.await(ctx, r)
}

// order hands a merge, abort or clear to the run loop and waits for the answer.
func (a *Actor) order(ctx context.Context, k Kind) error {
	r := newRequest(k)
	if err := a.hand(ctx, func() { a.handleOrder(r) }); err != nil {
		return err
	}
	return a.await(ctx, r)
}

func (a *Actor) handleOrder(r *request) {
	t := a.ticket()
	a.jobs[t] = newBatch(r, 0)
	a.tell(event{what: ordered, ticket: t, kind: r.kind})
}

// await waits for the answer. An effect that nobody waits for any more need not wait for pins.
func (a *Actor) await(ctx context.Context, r *request) error {
	err := r.await(ctx, a.closing)
	if r.isGone() {
		select {
		case a.leaving <- struct{}{}:
		default: // the run loop is about to look anyway
		}
	}
	return err
}

// hand gives f to the run loop, which always takes it (D10).
func (a *Actor) hand(ctx context.Context, f func()) error {
	if ctx.Err() != nil {
		return ended(ctx)
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
		return ended(ctx)
	case <-a.closing:
		return ErrClosed
	}
}

// post gives f to the run loop, unless that is about to end.
func (a *Actor) post(f func()) { _ = a.hand(context.Background(), f) }
