package table

import (
	"fmt"

	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// comparable returns the indexes whose scores can be computed from what is stored.
func (d *Definition[R, K]) comparable() (indexes []int) {
	for i, x := range d.Indexes {
		if !x.unstored {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// judge compares stored scores with those that an index's function computes, and says how they differ; empty: they do not. It skips
// rows that cannot be decoded: Verify tells of those. A score that cannot be computed differs.
func (d *Definition[R, K]) judge(index int, sampled scripts.SampledRows) (difference string) {
	x, record := &d.Indexes[index], decoder[R, K]{def: d}
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
		"open with WithReset and load again, or call it Unstored if it needs what is not stored", x.name, wrong, compared)
}
