package table

import (
	"fmt"
	"math"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// judge compares stored scores in an index of a stored schema with those that its function computes, and says how they differ; empty: they
// do not. It skips rows that cannot be decoded: Verify tells of those. A score that cannot be computed differs.
func (d *Definition[R, K]) judge(s layout.Schema, index int, sampled scripts.SampledRows) (difference string) {
	under := d.under(s)
	x, record := &under.Indexes[index], decoder[R, K]{def: &under}
	compared, wrong := 0, 0
	for i, key := range sampled.Keys {
		if record.decode(key, sampled.Rows[i]) != nil {
			continue
		}
		compared++
		r := record.record
		if score, err := callScore(x, &r); err != nil || !equal(string(sampled.Scores[i]), score) {
			wrong++
		}
	}
	if wrong == 0 {
		return ""
	}
	return fmt.Sprintf("index %q: its function gives %d of %d sampled records another score than is stored: "+
		"give it another Version, so that it is built anew, or call it Unstored if it needs what is not stored", x.name, wrong, compared)
}

// scoreOf computes the score of a row in an index of the schema; ok is false if it cannot be computed.
func (t *Table[R, K]) scoreOf(key, row []byte, index int) (text engine.Bytes, ok bool) {
	d := t.decoder()
	if d.decode(key, row) != nil {
		return nil, false
	}
	score, err := callScore(&t.def.Indexes[index], &d.record)
	if err != nil || math.IsNaN(score) {
		return nil, false
	}
	return layout.AppendScore(nil, score), true
}
