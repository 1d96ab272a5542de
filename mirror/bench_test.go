package mirror_test

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkRange100(b *testing.B) {
	m := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		from := 10 * float64(rand.IntN(50_000-100))
		n := 0
		for i, err := range m.Records(b.Context(), m.Range("at", from, from+1000)) {
			if err != nil || i.ID < 0 {
				b.Fatal(err)
			}
			n++
		}
		if n != 100 {
			b.Fatal(n)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Get(b.Context(), rand.Int64N(50_000)); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarked(b *testing.B) *mirrors {
	tbl := openItems(b)
	all := numbered(0, 50_000)
	for from := 0; from < len(all); from += 1000 {
		put(b, tbl, all[from:from+1000]...)
	}
	return mirrorOf(b, tbl)
}
