package scan

import "bytes"

// own copies rows that lie in one answer, if records share their memory: what a record keeps of its row must keep no page in
// memory. A row that is nil stays so.
func (r *Reader) own(rows [][]byte) {
	if !r.keepsRows {
		return
	}
	for i := range rows {
		rows[i] = bytes.Clone(rows[i])
	}
}
