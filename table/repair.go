package table

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/store"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Repair goes through the table as Verify does and mends what it finds. It makes entries anew from their
// rows, deletes entries without a row, rows that cannot be decoded and leftovers of scratch, and sets counts
// right. The step that mends a thing first checks it again, so that Repair never removes a sound row,
// whatever is written meanwhile. Repair returns what it has mended; a second run mends nothing. What is lost
// stays lost: a row that is gone leaves no trace afterwards. An entry that is missing in an Unstored index
// stays missing, for nobody knows its score.
// A table that has gone back behind what its owner knows of is not mended under that owner: the error is ErrLost.
//
// Each step that changes something is one write: it waits for long reads as Clear does, at most the grace period, and its
// errors are those of Clear. With an error Repair returns what it has mended before. Repair also works on a table whose writes
// say ErrLost: open such a table again afterwards.
func (t *Table[R, K]) Repair(ctx context.Context) (Report, error) {
	var audited, mended Report
	mend := func(f finding) error {
		if (f.Kind == MissingEntry || f.Kind == WrongScore) && f.Score == "" {
			return nil // nobody knows the score
		}
		f.Remedy = string(f.remedy())
		done, err := t.mend(ctx, f.Damage)
		if err != nil || !done {
			return err
		}
		if len(mended.Problems) < maxProblems {
			mended.Problems = append(mended.Problems, f.Problem)
		} else {
			mended.Partial = true
		}
		return nil
	}
	err := t.audit(ctx, &audited, mend)
	mended.Rows = audited.Rows
	return mended, t.errorf("repair", err)
}

// mend mends one thing, if it still is as it was read, and tells whether it was mended. An actor that has found the table lost
// applies no effects any more; nobody else does either, so the thing is mended without it.
func (o *owner) mend(ctx context.Context, d engine.Damage) (bool, error) {
	err := o.actor.Repair(ctx, d)
	switch {
	case errors.Is(err, store.ErrSound):
		return false, nil
	case errors.Is(err, ErrLost) && errors.Is(o.Err(), ErrLost):
		return o.base.reader.RepairLost(ctx, d)
	}
	return err == nil, err
}

// remedy returns what is to be done about a problem.
func (p Problem) remedy() scripts.Remedy {
	what := map[ProblemKind]scripts.Remedy{
		OrphanEntry: scripts.DropOrphan, MissingEntry: scripts.MakeEntry, WrongScore: scripts.MakeEntry,
		BadRow: scripts.DropRow, Leftover: scripts.MendLeftover, WrongCount: scripts.SetCounts, FeedOutOfStep: scripts.DropFeed,
	}[p.Kind]
	if p.Staged && p.Kind != WrongCount {
		return what.Staged()
	}
	return what
}
