package table

import (
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// places says where the parts of a definition are in rows, and among the indexes, of a table.
type places struct {
	indexes  int   // how many the table has
	complete int   // so many of these have an entry for each row that is told
	scores   []int // where the definition's indexes are among those; -1: nowhere
	columns  []int // where the definition's attributes are in rows
	plain    bool  // rows are as the definition would write them
}

// newScores returns a function that returns the place for the scores of each of n rows.
func (p *places) newScores(n int) func(row int) []float64 {
	per := len(p.scores)
	all := make([]float64, n*per)
	return func(row int) []float64 { return all[row*per : (row+1)*per : (row+1)*per] }
}

// contents returns the attributes as the definition would write them: so equal contents are equal under whatever schema they are stored.
// What cannot be read is left as it is.
func (p *places) contents(row []byte) []byte {
	stored, ok := layout.Attributes(row)
	if p.plain || !ok {
		return stored
	}
	var columns [][]byte // with their frames
	for rest := stored; len(rest) > 0; {
		after, is := layout.CutAbsent(rest)
		if !is {
			var err error
			if _, after, err = codec.CutFrame(rest); err != nil {
				return stored
			}
		}
		columns, rest = append(columns, rest[:len(rest)-len(after)]), after
	}
	contents := make([]byte, 0, len(stored))
	for _, at := range p.columns {
		if at < len(columns) {
			contents = append(contents, columns[at]...)
		} else {
			contents = layout.AppendAbsent(contents)
		}
	}
	return contents
}
