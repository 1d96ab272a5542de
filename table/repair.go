package table

import "context"

// Repair walks the table as Verify does and mends what it finds: entries are made anew from their
// rows, entries without a row, rows that cannot be decoded and leftovers of scratch are deleted,
// counts are set right. Each is looked at again in the very step that mends it, so that Repair
// never removes a sound row, whatever is written meanwhile. It returns what it has mended; run
// again it mends nothing. What is lost stays lost: a row that is gone leaves no trace afterwards.
//
// A table whose writes have said ErrLost must be opened again after it. A long read that is under
// way when a wrong score is mended may find that record at either score, at both or at neither.
func (t *Table[R, K]) Repair(ctx context.Context) (Report, error) {
	var walked, mended Report
	mend := func(f finding) error {
		done, err := t.mend(ctx, f)
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

func (t *Table[R, K]) mend(ctx context.Context, f finding) (bool, error) {
	args := t.wire.command(&t.wire.scripts.repair, 6)
	a, err := t.reader.ask(ctx, append(args, t.epoch, remedy(f.Problem), f.index+1, f.key, f.row, f.score))
	if err == nil {
		err = a.err(t.epoch)
	}
	if err != nil {
		return false, err
	}
	return string(a.rest.text()) == "1", a.rest.err
}

// remedy names what the script does about a problem.
func remedy(p Problem) string {
	what := map[ProblemKind]string{
		OrphanEntry: "orphan", MissingEntry: "entry", WrongScore: "entry",
		BadRow: "row", Leftover: "leftover", WrongCount: "counts",
	}[p.Kind]
	if p.Staged && p.Kind != WrongCount {
		return "staged " + what
	}
	return what
}
