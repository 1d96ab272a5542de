package scripts

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// How long the server takes for a short read, with and without the quick way.
func BenchmarkShortReads(b *testing.B) {
	r := newQuickRig(b, redistest.Start(b, redistest.Options{}), "clear", 0)
	p := r.raw.Pipeline()
	for i := 10; i < 2000; i++ {
		r.add(b, p, r.client.Keys.Rows, r.client.Keys.Merged, i, string(make([]byte, 150)))
	}
	p.HSet(b.Context(), r.client.Keys.Truth, "count", 2000, "widest", 150)
	if _, err := p.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("look-up/quick", func(b *testing.B) { r.measure(b, lookup, []any{"merged", 0, "k100"}) })
	b.Run("look-up/slow", func(b *testing.B) { r.measure(b, slowLookup, []any{"merged", 0, "k100"}) })
	for _, n := range []int{1, 10, 100} {
		args := []any{"", "", "merged", 1, 1000, 256 << 10, 1000, "up", "", "", "", "100", "(" + strconv.Itoa(100+n)}
		b.Run(fmt.Sprintf("page-%d/quick", n), func(b *testing.B) { r.measure(b, page, args) })
		b.Run(fmt.Sprintf("page-%d/slow", n), func(b *testing.B) { r.measure(b, slowPage, args) })
	}
}

var serverTime = regexp.MustCompile(`cmdstat_evalsha:.*usec_per_call=([\d.]+)`)

// measure reports what the server says of its own time.
func (r *quickRig) measure(b *testing.B, s *wire.Script, args []any) {
	const together = 200
	r.raw.ConfigResetStat(b.Context())
	for range b.N/together + 1 {
		p := r.raw.Pipeline()
		for range together {
			wire.QueueRaw(b.Context(), p, append(append(r.client.Call(s, 1+len(args)), &r.client.Layout), args...)...)
		}
		wire.Flush(b.Context(), p)
	}
	stats := r.raw.Info(b.Context(), "commandstats").Val()
	took, err := strconv.ParseFloat(append(serverTime.FindStringSubmatch(stats), "", "")[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(took, "server-µs/op")
}
