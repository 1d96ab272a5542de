package table

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Repair walks the table as Verify does and mends what it finds: entries are made anew from their
// rows, entries without a row, rows that cannot be decoded and leftovers of scratch are deleted,
// counts are set right. Each is looked at again in the very step that mends it, so that Repair
// never removes a sound row, whatever is written meanwhile. It returns what it has mended; run
// again it mends nothing. What is lost stays lost: a row that is gone leaves no trace afterwards, and an
// entry of an Unstored index that is missing is left missing, for nobody knows its score.
//
// A table whose writes have said ErrLost must be opened again after it. A long read that is under
// way when a wrong score is mended may find that record at either score, at both or at neither.
func (t *Table[R, K]) Repair(ctx context.Context) (Report, error) {
	var walked, mended Report
	mend := func(f finding) error {
		if (f.Kind == MissingEntry || f.Kind == WrongScore) && f.Score == "" {
			return nil // nobody knows the score
		}
		done, err := t.reader.Repair(ctx, f.remedy(), f.Damage)
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
	err := t.audit(ctx, &walked, mend)
	mended.Rows = walked.Rows
	return mended, t.errorf("repair", err)
}

// remedy returns what is to be done about a problem.
func (p Problem) remedy() scripts.Remedy {
	what := map[ProblemKind]scripts.Remedy{
		OrphanEntry: scripts.DropOrphan, MissingEntry: scripts.MakeEntry, WrongScore: scripts.MakeEntry,
		BadRow: scripts.DropRow, Leftover: scripts.MendLeftover, WrongCount: scripts.SetCounts,
	}[p.Kind]
	if p.Staged && p.Kind != WrongCount {
		return what.Staged()
	}
	return what
}
