package table

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
)

// Report is what Verify found.
type Report struct {
	Problems []Problem
	Rows     int  // rows looked at, staged ones too
	Partial  bool // there are more problems than a report holds
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
)

// maxProblems bounds a report.
const maxProblems = 10_000

// auditStep is how many rows or entries one script looks at, at most.
const auditStep = 200

// Verify walks everything that is stored for the table, in short steps, while the table is used,
// and blocks nobody. It reports what is wrong for certain: what is written during the walk is
// either seen whole or not at all. It takes a score for wrong when the index computes another one
// from the stored attributes: indexes that use what is not stored cannot be verified. It also
// works on a table whose reads say ErrLost.
func (t *Table[R, K]) Verify(ctx context.Context) (Report, error) {
	var report Report
	told := make(map[Problem]bool)
	err := t.audit(ctx, &report, func(f finding) error {
		switch {
		case told[f.Problem]: // a walk over a hash may come by a row twice
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

// finding is a problem and what it takes to mend it.
type finding struct {
	Problem
	key, row string
	index    int
	score    string
}

// audit hands every problem to each.
func (t *Table[R, K]) audit(ctx context.Context, report *Report, each func(finding) error) error {
	a := auditor[R, K]{decoder: t.decoder(), report: report, each: each}
	for _, part := range []part{rowsPart, stagedPart} {
		if err := a.rows(ctx, part); err != nil {
			return err
		}
	}
	for i := range t.def.Indexes {
		for _, part := range []part{mergedPart, shadowPart} {
			if err := a.entries(ctx, part, i); err != nil {
				return err
			}
		}
	}
	return a.counts(ctx)
}

// part is what one step of a walk looks at.
type part string

const (
	countsPart part = "counts"
	rowsPart   part = "rows"
	stagedPart part = "staged"
	mergedPart part = "merged"
	shadowPart part = "shadow"
)

type auditor[R any, K comparable] struct {
	*decoder[R, K]
	report *Report
	each   func(finding) error
	staged int // problems found with staged rows and entries
}

// found hands a problem on.
func (a *auditor[R, K]) found(f finding) error {
	if f.Staged {
		a.staged++
	}
	return a.each(f)
}

func (a *auditor[R, K]) ask(ctx context.Context, p part, index int, at, member string) (answer, error) {
	args := a.t.wire.command(&a.t.wire.scripts.audit, 6)
	reply, err := a.t.reader.ask(ctx, append(args, a.t.epoch, string(p), index+1, at, member, a.step()))
	if err != nil {
		return reply, err
	}
	return reply, reply.err(a.t.epoch)
}

// step returns how many rows or entries the next script looks at: rows are brought here.
func (a *auditor[R, K]) step() int {
	return min(max(a.t.opts.pageBytes/a.t.rowBytes.guess(), 1), auditStep)
}

// rows walks a hash: each row must decode, and have its entry in each index.
func (a *auditor[R, K]) rows(ctx context.Context, p part) error {
	for at := "0"; ; {
		reply, err := a.ask(ctx, p, 0, at, "")
		if err != nil {
			return err
		}
		next := string(reply.rest.text())
		keys, rows, scores := reply.rest.texts(), reply.rest.texts(), reply.rest.lists()
		if reply.rest.err != nil {
			return reply.rest.err
		}
		for i := range keys {
			if err := a.row(reply, p, keys[i], rows[i], across(scores, i)); err != nil {
				return err
			}
		}
		if at = next; at == "0" {
			return nil
		}
	}
}

func (a *auditor[R, K]) row(at answer, p part, key, row []byte, scores []string) error {
	a.report.Rows++
	a.t.rowBytes.learn(len(row), 1)
	staged := p == stagedPart
	f := finding{key: string(key), row: string(row), Problem: Problem{Key: keyHash(key), Staged: staged}}
	if staged && !belongs(row, at.view) {
		f.Kind = Leftover
		return a.found(f)
	}
	if staged && len(row) == generationBytes {
		return nil // a tombstone has no entries; one that it has is found as an orphan
	}
	r, err := a.decode(key, row)
	if err != nil {
		f.Kind, f.Attribute = BadRow, err.Attribute
		return a.found(f)
	}
	if !staged && generationOf(row) > at.view.Generation {
		f.Kind = Leftover
		return a.found(f)
	}
	return a.scores(f, &r, scores)
}

// belongs tells whether a staged row is of the generation that is being staged or folded.
func belongs(row []byte, v engine.View) bool {
	if len(row) < generationBytes || v.State == engine.StateClear {
		return false
	}
	if v.State == engine.StateActive {
		return generationOf(row) == v.Generation+1
	}
	return generationOf(row) == v.Generation
}

func generationOf(row []byte) uint32 { return binary.BigEndian.Uint32(row) }

func (a *auditor[R, K]) decode(key, row []byte) (R, *CodingError) {
	err := a.decoder.decode(key, row)
	var c *CodingError
	errors.As(err, &c)
	return a.record, c
}

func (a *auditor[R, K]) scores(f finding, r *R, stored []string) error {
	for i := range a.t.def.Indexes {
		x := &a.t.def.Indexes[i]
		score, err := callScore(x, r)
		if err != nil {
			continue // it cannot be told
		}
		f.index, f.score, f.Index = i, scoreText(score), x.name
		f.Kind = verdictOn(stored[i], score)
		if f.Kind == "" {
			continue
		}
		if err := a.found(f); err != nil {
			return err
		}
	}
	return nil
}

func verdictOn(stored string, score float64) ProblemKind {
	if stored == "" {
		return MissingEntry
	}
	if is, err := parseScore(stored); err != nil || is != score {
		return WrongScore
	}
	return ""
}

// entries walks an index: each entry must have its row.
func (a *auditor[R, K]) entries(ctx context.Context, p part, index int) error {
	for at, member := "", ""; ; {
		reply, err := a.ask(ctx, p, index, at, member)
		if err != nil {
			return err
		}
		at, member = string(reply.rest.text()), string(reply.rest.text())
		orphans := reply.rest.texts()
		if reply.rest.err != nil {
			return reply.rest.err
		}
		for _, key := range orphans {
			f := finding{key: string(key), index: index, Problem: Problem{Kind: OrphanEntry, Key: keyHash(key),
				Index: a.t.def.Indexes[index].name, Staged: p == shadowPart}}
			if err := a.found(f); err != nil {
				return err
			}
		}
		if at == "" {
			return nil
		}
	}
}

// counts compares what was counted with what is there. What other findings explain, an index that
// is too long or too short, is not told again.
func (a *auditor[R, K]) counts(ctx context.Context) error {
	reply, err := a.ask(ctx, countsPart, 0, "", "")
	if err != nil {
		return err
	}
	noted, there, _, live := reply.rest.texts(), reply.rest.texts(), reply.rest.texts(), reply.rest.texts()
	if reply.rest.err != nil {
		return reply.rest.err
	}
	wrong := map[bool]bool{
		false: !bytes.Equal(noted[0], there[0]),
		true:  !bytes.Equal(noted[1], there[1]) || a.staged == 0 && !bytes.Equal(noted[2], live[0]),
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

// across returns the i-th of each column.
func across(columns [][][]byte, i int) []string {
	out := make([]string, len(columns))
	for j, c := range columns {
		out[j] = string(c[i])
	}
	return out
}
