package table

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// sink decodes what it is told of rows of one schema for a follower, who has a definition of his own.
type sink[R any, K comparable] struct {
	*decoder[R, K]
	places
	to      Follower[R, K]
	given   *Definition[R, K]
	missing map[string]error // indexes of the definition that the table does not have
}

func newSink[R any, K comparable](h *handle[R, K], given *Definition[R, K], to Follower[R, K]) *sink[R, K] {
	s := &sink[R, K]{decoder: h.decoder(), to: to, given: given, missing: h.missing}
	s.indexes = len(h.def.Indexes)
	for _, x := range given.Indexes {
		s.scores = append(s.scores, h.def.placeOf(x))
	}
	s.plain = len(h.def.Attributes) == len(given.Attributes)
	for i, a := range given.Attributes {
		at := h.def.columnOf(a)
		s.columns, s.plain = append(s.columns, at), s.plain && at == i && !h.def.Attributes[at].late
	}
	return s
}

// placeOf returns where an index is among those of a definition that was made for a schema; -1: nowhere.
func (d *Definition[R, K]) placeOf(given Index[R]) int {
	for i, x := range d.Indexes {
		if x.name == given.name && !x.foreign {
			return i
		}
	}
	return -1
}

// columnOf returns where an attribute is in rows.
func (d *Definition[R, K]) columnOf(given Attribute[R]) int {
	for i, a := range d.Attributes {
		if a.name == given.name && a.append != nil {
			return i
		}
	}
	return -1
}

var _ scan.Sink = (*sink[int, int])(nil)

func (s *sink[R, K]) BeginCopy() error {
	s.complete = s.indexes
	return caught(s.to.BeginCopy)
}

func (s *sink[R, K]) Copied(c *scan.CopiedRows) error {
	if n := len(c.Scores); n < s.complete && len(c.Keys) > 0 {
		s.complete = n
		if err := s.tellMissing(); err != nil {
			return err
		}
	}
	rows, scores := make([]Row[R, K], len(c.Keys)), s.newScores(len(c.Keys))
	for i, key := range c.Keys {
		own := scores(i)
		for j, at := range s.scores {
			own[j] = math.NaN()
			if at < 0 || at >= s.complete {
				continue
			}
			score, err := layout.ParseScore(string(c.Scores[at][i]))
			if err != nil {
				return ErrLost
			}
			own[j] = score
		}
		rows[i] = s.row(key, c.Rows[i], own)
	}
	return caught(func() error { return s.to.CopyRows(rows) })
}

// tellMissing tells the follower which indexes he must do without.
func (s *sink[R, K]) tellMissing() error {
	missing := maps.Clone(s.missing)
	for i, at := range s.scores {
		if name := s.given.Indexes[i].name; at >= s.complete {
			missing[name] = fmt.Errorf("%w: %q", ErrIndexBuilding, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return caught(func() error { return s.to.Apply(Effect[R, K]{Kind: EffectIndexes, Missing: missing}) })
}

func (s *sink[R, K]) Note(at layout.Position, note []byte) error {
	err := caught(func() error {
		return s.to.Apply(Effect[R, K]{Kind: EffectNote, At: Position{at}, Noted: true, Note: note})
	})
	if err == nil {
		err = s.tellMissing()
	}
	return err
}

func (s *sink[R, K]) InStep(at layout.Position) error {
	return caught(func() error { return s.to.InStep(Position{at}) })
}

func (s *sink[R, K]) Proven(at time.Time) error {
	return caught(func() error { return s.to.Proven(at) })
}

func (s *sink[R, K]) Apply(e *feed.Entry) error {
	effect := Effect[R, K]{Kind: effectKindOf(e.Kind), All: e.All, At: Position{e.At}}
	var err error
	switch effect.Kind {
	case EffectPut, EffectStage:
		effect.Rows, err = s.rowsOf(e)
	case EffectDiscard:
		effect.Rows, err = s.discarded(e)
	case EffectDelete:
		effect.Rows, err = s.keysOf(e)
	case EffectApply:
		effect.Noted, effect.Note = e.Note != nil, bytes.Clone(e.Note)
		if effect.Rows, err = s.rowsOf(e); err == nil {
			effect.Gone, err = s.keysOf(e)
		}
	case EffectMerge:
		effect.Noted, effect.Note = e.Note != nil, bytes.Clone(e.Note)
	case EffectClear:
		effect.Noted = true
	}
	if err != nil {
		return err
	}
	return caught(func() error { return s.to.Apply(effect) })
}

// discarded returns the keys that are discarded; where that is everything, the rows that stay.
func (s *sink[R, K]) discarded(e *feed.Entry) ([]Row[R, K], error) {
	if e.All {
		return s.rowsOf(e)
	}
	return s.keysOf(e)
}

// row decodes a row. Its record gets memory of its own.
func (s *sink[R, K]) row(key, row []byte, scores []float64) Row[R, K] {
	r := Row[R, K]{Scores: scores, KeyBytes: key, Contents: s.contents(row)}
	if r.Key, r.Err = s.decodeKey(key); r.Err == nil {
		r.Err = s.decode(key, bytes.Clone(row))
		r.Record = s.record
	}
	return r
}
