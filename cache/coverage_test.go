package cache

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// What is joined so that few spans are left is covered as before, never more valid and never younger.
func TestJoinedSpansAreNoBetterThanTheirParts(t *testing.T) {
	t.Parallel()
	for range 2000 {
		var spans []Span
		for score := range 30 {
			if rand.IntN(3) > 0 {
				spans = append(spans, Span{table.Interval{GE: float64(score), LT: float64(score + 1)}, rand.IntN(2) == 0, time.Unix(rand.Int64N(3)+1, 0)})
			}
		}
		few := atMost(1+rand.IntN(12), tidy(slices.Clone(spans)))
		if len(few) > 12 {
			t.Fatalf("%d spans", len(few))
		}
		for _, s := range spans {
			at := slices.IndexFunc(few, func(f Span) bool { return f.Covers(s.Interval) })
			if at < 0 || s.Invalid && !few[at].Invalid || few[at].Loaded.After(s.Loaded) {
				t.Fatalf("%v has become of %v in %v", few, s, spans)
			}
		}
		for score := range 30 {
			gap := table.Only(float64(score) + 0.5)
			if _, err := (Coverage{Spans: spans}).touchedBy(gap); err == nil {
				continue
			}
			if touched, err := (Coverage{Spans: few}).touchedBy(gap); err == nil && (!touched[0].Invalid || !touched[0].Loaded.IsZero()) {
				t.Fatalf("%v was never loaded, and is in %v", gap, touched)
			}
		}
	}
}
