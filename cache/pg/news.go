package pg

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// mostIntervals is how many a cache is told of at once: it takes no more, as a spec does, and none that overlap.
const mostIntervals = 1000

// part is an interval of an index.
type part struct {
	index string
	in    table.Interval
}

// news is what rows say, each thing once.
type news[K comparable] struct {
	keys  map[K]struct{}
	parts map[part]struct{}
	all   bool // everything may have changed
}

func newNews[K comparable]() *news[K] {
	return &news[K]{keys: map[K]struct{}{}, parts: map[part]struct{}{}}
}

// add adds what a row says. The error says that it cannot be understood, and may hold the key.
func (n *news[K]) add(r row, parse func(string) (K, error)) error {
	switch {
	case r.Key != nil && parse != nil:
		key, err := parse(*r.Key)
		if err != nil {
			return err
		}
		n.keys[key] = struct{}{}
	case r.Key == nil && r.Index != nil:
		in, err := r.interval()
		if err != nil {
			return err
		}
		n.parts[part{index: *r.Index, in: in}] = struct{}{}
	default:
		n.all = true
	}
	return nil
}

// tell says it, in detail.
func (n *news[K]) tell(invalidate func(string, ...table.Interval) error, invalidateKeys func(...K) error) error {
	byIndex := map[string][]table.Interval{}
	for p := range n.parts {
		byIndex[p.index] = append(byIndex[p.index], p.in)
	}
	for index, in := range byIndex {
		for some := range slices.Chunk(apart(in), mostIntervals) {
			if err := invalidate(index, some...); err != nil {
				return err
			}
		}
	}
	if len(n.keys) == 0 {
		return nil
	}
	return invalidateKeys(slices.Collect(maps.Keys(n.keys))...)
}

// apart sorts intervals, and joins those that touch or overlap.
func apart(in []table.Interval) (joined []table.Interval) {
	slices.SortFunc(in, func(a, b table.Interval) int { return cmp.Compare(a.GE, b.GE) })
	for _, i := range in {
		if last := len(joined) - 1; last >= 0 && i.GE <= joined[last].LT {
			joined[last].LT = max(joined[last].LT, i.LT)
		} else {
			joined = append(joined, i)
		}
	}
	return joined
}
