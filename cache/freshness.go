package cache

import (
	"math"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// Freshness says how old an answer may be. The zero one is Fresh.
type Freshness struct {
	most time.Duration // since the fetch of what is invalid began
}

// Fresh is for answers that were not invalidated before the call. It means just that, and not that the source has the same at this
// moment: who wants an answer to be as new as the source invalidates whatever changes there. What is invalid is fetched anew first.
func Fresh() Freshness { return Freshness{} }

// MaxStale is for answers that are Fresh, or of which the parts that are not were fetched at most d ago, counted from the beginning of
// their fetch. What is older is fetched anew first.
func MaxStale(d time.Duration) Freshness { return Freshness{most: max(d, 0)} }

// AsIs is for whatever there is, however old: nothing is fetched.
func AsIs() Freshness { return Freshness{most: math.MaxInt64} }

// allows tells whether something invalid will do that was loaded at a time.
func (f Freshness) allows(loaded, now time.Time) bool {
	return f == AsIs() || f.most > 0 && now.Sub(loaded) <= f.most
}

// stale returns the invalid spans that will not do, as a set.
func (f Freshness) stale(spans []Span, now time.Time) []table.Interval {
	return setWhere(spans, func(s *Span) bool { return s.Invalid && !f.allows(s.Loaded, now) })
}

// allowsAll tells whether the spans would do if records of them were invalid.
func (f Freshness) allowsAll(spans []Span, now time.Time) bool {
	for _, s := range spans {
		if !f.allows(s.Loaded, now) {
			return false
		}
	}
	return f.most > 0
}
