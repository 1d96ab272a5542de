package table

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
)

// Scratch is a scratch session that belongs to whoever has begun it. It is safe for concurrent use. Get one with Table.Scratch, and
// end it with Merge or Abort:
//
//	s, err := t.Scratch(ctx)
//	if err != nil {
//		return err
//	}
//	defer s.Abort(context.Background()) // does nothing after the Merge
//	...
//	return s.Merge(ctx, nil)
//
// Once it has ended every method says how: ErrScratchMerged, ErrScratchAborted, or ErrClosed, ErrFenced or ErrLost of the table. Then
// it does nothing, whatever session is on by that time.
type Scratch[R any, K comparable] struct {
	table   *Table[R, K]
	session *engine.Session
}

// Scratch begins a session of the caller's own. It is on from now on, although nothing is staged yet: until its end all other scratch
// calls wait, ScratchMerge and other Scratch too. Regular writes wait from its first staged record on, unless they are written through
// (WithWriteThrough). It ends with its Merge or Abort, with an operator's ScratchAbort or Clear, with the table, or with ctx: the session
// lives no longer than that, and Merge publishes nothing once ctx has ended. What is staged then is dropped in the background before
// anything else begins.
//
// Scratch waits while a scratch session is on and while a merge is being folded; callers are served in order of arrival, and before
// the other scratch calls. When ctx ends first, the error Is ctx.Err() and has a *WaitError.
func (t *Table[R, K]) Scratch(ctx context.Context) (*Scratch[R, K], error) {
	session, err := t.actor.Scratch(ctx)
	if err != nil {
		return nil, t.errorf("scratch", err)
	}
	return &Scratch[R, K]{table: t, session: session}, nil
}

// Put stages records, as Table.ScratchPut does. It waits for nothing but its turn. With an error it says how many are staged.
func (s *Scratch[R, K]) Put(ctx context.Context, records ...R) error {
	err := s.session.Err()
	if err == nil {
		err = s.table.write(ctx, records, s.table.stages, s.session.Stage)
	}
	return s.table.errorf("scratch put", err)
}

// Discard stages the deletion of the records of spec, as they would be after a merge now, and returns how many it discarded. It is
// atomic like Table.Delete. With an error it returns how many are discarded for certain. Of everything it is one short step, as
// Table.ScratchDiscard is.
func (s *Scratch[R, K]) Discard(ctx context.Context, spec Spec[R]) (int, error) {
	return s.table.discard(ctx, spec, discardingIn(s.session))
}

// sessionSpan gets the span of a session, unless that has ended.
func sessionSpan(s *engine.Session) func(context.Context) (*engine.Span, error) {
	return func(context.Context) (*engine.Span, error) { return s.Span(), s.Err() }
}

// DiscardKeys stages the deletion of the records with these keys and returns how many there would have been after a merge. It is atomic
// for each 1,000 keys; with an error it returns how many are discarded for certain.
func (s *Scratch[R, K]) DiscardKeys(ctx context.Context, keys ...K) (n int, err error) {
	if err = s.session.Err(); err == nil {
		n, err = s.table.markKeys(ctx, keys, s.session.Discard)
	}
	return n, s.table.errorf("discard", err)
}

// Count returns how many records readers would see after a merge now. It takes a round trip for each 4,000 staged records; no record
// leaves the server. If nothing is written to the table meanwhile the count is exact. Else it is made anew, up to four times; after that
// it may be off by what was written during the last attempt.
func (s *Scratch[R, K]) Count(ctx context.Context) (n int, err error) {
	if err = s.session.Err(); err == nil {
		n, err = s.table.reader.CountStaged(ctx)
	}
	if ended := s.session.Err(); ended != nil { // then what was counted is not this session
		n, err = 0, ended
	}
	return n, s.table.errorf("count", err)
}

// Merge makes all that the session has staged visible to readers, and ends it. The note is written in the very same step, see
// Table.Note; nil: the note stays. If nothing is staged, Merge only writes the note, for which it may wait as Put does for long reads.
// A note over 64 KiB is ErrTooLarge, and the session goes on.
//
// Merge returns nil if it has merged. ErrScratchAborted: nothing was published, and nothing will be. If ctx ends while the merge is
// under way, the error Is ErrUnknownOutcome: the session ends merged if it was applied; else it goes on, and Merge may be called again.
// After other errors nothing was published and the session goes on. ErrGenerationsExhausted: see ScratchMerge.
func (s *Scratch[R, K]) Merge(ctx context.Context, note []byte) error {
	return s.table.errorf("merge", s.merge(ctx, note))
}

func (s *Scratch[R, K]) merge(ctx context.Context, note []byte) error {
	if err := s.session.Err(); err != nil {
		return err
	}
	note, err := ownNote(note)
	if err != nil {
		return err
	}
	return s.table.proven(ctx, func(ctx context.Context) error { return s.session.Merge(ctx, note) })
}

// Abort drops all that the session has staged, and ends it. If it has ended already, Abort does nothing and says how: so it may stand
// in a defer before the Merge, whose error then is the one that counts.
func (s *Scratch[R, K]) Abort(ctx context.Context) error {
	return s.table.errorf("abort", s.session.Abort(ctx))
}
