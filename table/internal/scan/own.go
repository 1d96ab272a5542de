package scan

import "bytes"

// own gives each row memory of its own, if records share the memory of their rows: a record must not keep a whole answer in memory.
// A row that is nil stays nil.
func (r *Reader) own(rows [][]byte) {
	if !r.keepsRows {
		return
	}
	for i := range rows {
		rows[i] = bytes.Clone(rows[i])
	}
}
