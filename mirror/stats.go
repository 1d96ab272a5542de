package mirror

import (
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// Stats is how a mirror is doing.
type Stats struct {
	Records  int   // that it shows
	Bytes    int64 // an estimate of the memory that they take: entries, trees, and the records as they are encoded
	Applied  int64 // effects that were applied
	Resyncs  int64 // how often the table was copied anew, after the first copy
	Age      time.Duration
	Position table.Position
}

type counts struct{ applied, copies atomic.Int64 }

// Stats returns how the mirror is doing. It does not ask Redis.
func (m *Mirror[R, K]) Stats() Stats {
	v := m.shown.Load()
	return Stats{
		Records:  v.rows.byKey.Len(),
		Bytes:    v.rows.bytes,
		Applied:  m.counts.applied.Load(),
		Resyncs:  m.counts.copies.Load() - 1,
		Age:      m.Age(),
		Position: v.at,
	}
}
