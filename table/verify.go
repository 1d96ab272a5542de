package table

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Report is what Verify found.
type Report struct {
	Problems []Problem
	Rows     int  // how many rows were read, staged ones too
	Partial  bool // there are more problems than the report holds
	// Building has the indexes that were being built: that a row has no entry in them is no problem.
	Building []string
}

// OK tells whether nothing is wrong.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Problem is one thing that is wrong with what is stored.
type Problem struct {
	Kind      ProblemKind
	Key       string // short hash of the key; empty when a count is wrong
	Index     string // empty when a row or a count is wrong
	Attribute string // of a row that cannot be decoded
	Staged    bool   // the row or entry is a staged one
}

// ProblemKind is a kind of problem.
type ProblemKind string

// The kinds of problem.
const (
	OrphanEntry  ProblemKind = "orphan index entry"
	MissingEntry ProblemKind = "row missing from an index"
	WrongScore   ProblemKind = "wrong score"
	BadRow       ProblemKind = "undecodable row"
	WrongCount   ProblemKind = "wrong count"
	Leftover     ProblemKind = "leftover of scratch or fold"
	// FeedOutOfStep: the change feed does not end with the table's latest effect, so that no write can append to it. Repair drops
	// it, and it begins anew; who follows it copies anew.
	FeedOutOfStep ProblemKind = "feed out of step"
)

// maxProblems bounds a report.
const maxProblems = 10_000

// Verify goes through everything that is stored for the table, in short steps, while the table is used,
// and blocks nobody. It reports only what is certainly wrong: of what is written meanwhile it reads
// either all or nothing. A score is wrong if the index computes another one from the stored attributes;
// this is not checked for an Unstored index, and in an index that is being built entries may be missing. Verify also works on a table whose reads say ErrLost.
func (t *Table[R, K]) Verify(ctx context.Context) (Report, error) {
	var report Report
	told := make(map[Problem]bool)
	err := t.audit(ctx, &report, func(f finding) error {
		switch {
		case told[f.Problem]: // HSCAN may bring a row twice
		case len(told) == maxProblems:
			report.Partial = true
		default:
			told[f.Problem] = true
			report.Problems = append(report.Problems, f.Problem)
		}
		return nil
	})
	return report, t.errorf("verify", err)
}

// finding is a problem, and what Repair needs to mend it.
type finding struct {
	Problem
	engine.Damage
}

// audit goes through the table and calls each with every problem.
func (t *Table[R, K]) audit(ctx context.Context, report *Report, each func(finding) error) error {
	a := auditor[R, K]{decoder: t.decoder(), report: report, each: each}
	if err := t.auditFeed(ctx, each); err != nil { // first: while it is out of step nothing else can be mended
		return err
	}
	for _, p := range []scripts.Part{scripts.MergedRows, scripts.StagedRows} {
		err := t.reader.AuditRows(ctx, p, func(v engine.View, rows scripts.AuditedRows) error { return a.rows(v, p == scripts.StagedRows, rows) })
		if err != nil {
			return err
		}
	}
	for i, x := range t.def.Indexes {
		for _, p := range []scripts.Part{scripts.MergedEntries, scripts.StagedEntries} {
			orphan := finding{Problem: Problem{Kind: OrphanEntry, Index: x.name, Staged: p == scripts.StagedEntries}, Damage: engine.Damage{Index: i}}
			err := t.reader.AuditEntries(ctx, p, i, func(keys [][]byte) error { return a.orphans(orphan, keys) })
			if err != nil {
				return err
			}
		}
	}
	counts, err := t.reader.AuditCounts(ctx)
	if err != nil {
		return err
	}
	return a.counts(counts)
}

func (o *owner) auditFeed(ctx context.Context, each func(finding) error) error {
	inStep, err := o.base.reader.AuditFeed(ctx)
	if err != nil || inStep {
		return err
	}
	return each(finding{Problem: Problem{Kind: FeedOutOfStep}})
}

// auditor judges what an audit reads.
type auditor[R any, K comparable] struct {
	*decoder[R, K]
	report *Report
	each   func(finding) error
	staged int // problems found with staged rows and entries
	built  int // so many indexes are complete
}

// rows judges rows: each must be decodable, and have its entry in each index.
func (a *auditor[R, K]) rows(v engine.View, staged bool, rows scripts.AuditedRows) error {
	a.built = len(a.def.Indexes) - rows.Building
	a.noteBuilding()
	for i, key := range rows.Keys {
		a.report.Rows++
		f := finding{
			Problem: Problem{Key: layout.KeyHash(key), Staged: staged},
			Damage:  engine.Damage{Key: string(key), Row: string(rows.Rows[i])},
		}
		if err := a.row(v, f, across(rows.Scores, i)); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditor[R, K]) row(v engine.View, f finding, scores []string) error {
	row := []byte(f.Row)
	if f.Staged && (!belongs(row, v) || v.Whole && layout.IsTombstone(row)) {
		f.Kind = Leftover
		return a.found(f)
	}
	if f.Staged && layout.IsTombstone(row) {
		return nil // a tombstone has no entries; if it has one, that is found as an orphan
	}
	if err := a.decode([]byte(f.Damage.Key), row); err != nil {
		var c *CodingError
		errors.As(err, &c)
		f.Kind, f.Attribute = BadRow, c.Attribute
		return a.found(f)
	}
	if !f.Staged && layout.Generation(row) > v.Generation {
		f.Kind = Leftover
		return a.found(f)
	}
	return a.scores(f, scores)
}

// noteBuilding notes which indexes are being built.
func (a *auditor[R, K]) noteBuilding() {
	for _, x := range a.def.Indexes[max(0, a.built):] {
		if !slices.Contains(a.report.Building, x.name) {
			a.report.Building = append(a.report.Building, x.name)
		}
	}
}

// found hands a problem on.
func (a *auditor[R, K]) found(f finding) error {
	if f.Staged {
		a.staged++
	}
	return a.each(f)
}

// belongs tells whether a staged row is of the generation that is being staged or folded.
func belongs(row []byte, v engine.View) bool {
	if len(row) < layout.GenerationBytes || v.State == engine.StateClear {
		return false
	}
	if v.State == engine.StateActive {
		return layout.Generation(row) == v.Generation+1
	}
	return layout.Generation(row) == v.Generation
}

// scores compares the scores of the record that was just decoded with the stored ones.
func (a *auditor[R, K]) scores(f finding, stored []string) error {
	r := a.record
	for i := range a.def.Indexes {
		x := &a.def.Indexes[i]
		f.Problem.Index, f.Damage.Index = x.name, i
		f.Kind, f.Score = examine(x, &r, stored[i])
		if f.Kind == "" || f.Kind == MissingEntry && i >= a.built && !f.Staged {
			continue
		}
		if err := a.found(f); err != nil {
			return err
		}
	}
	return nil
}

// examine tells what is wrong with a stored score; empty: nothing. want is the right score; empty: it is not known.
func examine[R any](x *Index[R], r *R, stored string) (is ProblemKind, want string) {
	if x.unstored {
		if stored == "" {
			is = MissingEntry
		}
		return is, ""
	}
	score, err := callScore(x, r)
	if err == nil && !math.IsNaN(score) {
		want = layout.ScoreText(score)
	}
	switch {
	case err != nil: // the right score is not known
	case stored == "":
		is = MissingEntry
	case !equal(stored, score):
		is = WrongScore
	}
	return is, want
}

// equal compares a score as Redis writes it with one that was computed.
func equal(stored string, score float64) bool {
	is, err := layout.ParseScore(stored)
	return err == nil && is == score
}

// orphans reports entries without a row.
func (a *auditor[R, K]) orphans(f finding, keys [][]byte) error {
	for _, key := range keys {
		f.Problem.Key, f.Damage.Key = layout.KeyHash(key), string(key)
		if err := a.found(f); err != nil {
			return err
		}
	}
	return nil
}

// counts compares the counts in the truth with what is there. It does not report an index that is too long or too
// short: orphans and missing entries explain that.
func (a *auditor[R, K]) counts(c scripts.AuditedCounts) error {
	wrong := map[bool]bool{
		false: !bytes.Equal(c.Noted[0], c.Rows[0]),
		true:  !bytes.Equal(c.Noted[1], c.Rows[1]) || a.staged == 0 && !bytes.Equal(c.Noted[2], c.Staged[0]),
	}
	for _, staged := range []bool{false, true} {
		if wrong[staged] {
			if err := a.each(finding{Problem: Problem{Kind: WrongCount, Staged: staged}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// across returns the i-th element of each column.
func across(columns [][][]byte, i int) []string {
	out := make([]string, len(columns))
	for j, c := range columns {
		out[j] = string(c[i])
	}
	return out
}
