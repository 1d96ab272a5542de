package table

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Repair goes through the table as Verify does and mends what it finds. It makes entries anew from their
// rows, deletes entries without a row, rows that cannot be decoded and leftovers of scratch, and sets counts
// right. The step that mends a thing first checks it again, so that Repair never removes a sound row,
// whatever is written meanwhile. Repair returns what it has mended; a second run mends nothing. What is lost
// stays lost: a row that is gone leaves no trace afterwards. An entry that is missing in an Unstored index
// stays missing, for nobody knows its score.
//
// If a write of the table has said ErrLost, open the table again after Repair. A long read that is under
// way while a wrong score is mended may find that record at either score, at both or at neither.
func (t *Table[R, K]) Repair(ctx context.Context) (Report, error) {
	var audited, mended Report
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
	err := t.audit(ctx, &audited, mend)
	mended.Rows = audited.Rows
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
