package cache_test

import (
	"iter"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
)

// A covered read beside the table's own: compare the two in one run.
func BenchmarkCoveredRead(b *testing.B) {
	const records = 10_000
	c := newCache(b, openTable(b), newSource(numbered(0, records)...))
	ok(b, c.Cover(b.Context(), "at", from(0, records)))
	tbl := cache.TableOf(c)
	for name, length := range map[string]float64{"100": 100, "1": 1} {
		for who, records := range map[string]func(from, lt float64) iter.Seq2[item, error]{
			"table": func(ge, lt float64) iter.Seq2[item, error] { return tbl.Records(b.Context(), at(from(ge, lt))) },
			"cache": func(ge, lt float64) iter.Seq2[item, error] {
				return c.Records(b.Context(), at(from(ge, lt)), cache.Fresh())
			},
		} {
			b.Run(name+"/"+who, func(b *testing.B) {
				b.ReportAllocs()
				for n := range b.N {
					ge := float64(n * 37 % 9_000)
					for _, err := range records(ge, ge+length) {
						ok(b, err)
					}
				}
			})
		}
	}
	for who, get := range map[string]func(int64) (item, error){
		"table": func(id int64) (item, error) { return tbl.Get(b.Context(), id) },
		"cache": func(id int64) (item, error) { return c.Get(b.Context(), id, cache.Fresh()) },
	} {
		b.Run("get/"+who, func(b *testing.B) {
			b.ReportAllocs()
			for n := range b.N {
				_, err := get(int64(n * 37 % 9_000))
				ok(b, err)
			}
		})
	}
}
