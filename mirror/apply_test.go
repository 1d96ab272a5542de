package mirror

import (
	"encoding/binary"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// BenchmarkApply applies effects of 1,000 rows each, of 100,000 that there are, and shows each effect.
func BenchmarkApply(b *testing.B) {
	def := table.Definition[int, int]{Indexes: make([]table.Index[int], 2)}
	a := newApplier(&Mirror[int, int]{reading: reading[int, int]{def: &def}})
	if err := a.BeginCopy(); err != nil {
		b.Fatal(err)
	}
	effect := func(n int) table.Effect[int, int] {
		e := table.Effect[int, int]{Kind: table.EffectPut}
		for i := range 1000 {
			key := (n*1000 + i*7919) % 100_000
			r := table.Row[int, int]{Key: key, Record: n, Scores: []float64{float64(key), float64(n % 100)},
				KeyBytes: binary.BigEndian.AppendUint64(nil, uint64(key)), Contents: binary.BigEndian.AppendUint64(nil, uint64(n))}
			e.Rows = append(e.Rows, r)
		}
		return e
	}
	b.ReportAllocs()
	rows := 0
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		e := effect(n)
		b.StartTimer()
		if err := a.Apply(e); err != nil {
			b.Fatal(err)
		}
		if err := a.InStep(table.Position{}); err != nil {
			b.Fatal(err)
		}
		rows += len(e.Rows)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
