package pg

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// Intervals that overlap, or are many, are told in a way that a cache takes, and nothing more is.
func TestIntervalsAreToldAsACacheTakesThem(t *testing.T) {
	t.Parallel()
	n, want := newNews[int64](), make([]bool, 50_000)
	add := func(ge, lt int) {
		index, from, to := "price", float64(ge), float64(lt)
		if err := n.add(row{Index: &index, GE: &from, LT: &to}, nil); err != nil {
			t.Fatal(err)
		}
		for i := ge; i < lt; i++ {
			want[i] = true
		}
	}
	for range 5_000 {
		ge := rand.IntN(len(want) - 10)
		add(ge, ge+rand.IntN(10))
	}
	inf, index := math.Inf(1), "price"
	if err := n.add(row{Index: &index, GE: &inf, LT: &inf}, nil); err != nil {
		t.Fatal(err)
	}
	prices, got, top := table.Definition[flight, int64]{Indexes: []table.Index[flight]{table.By[flight](index, nil)}}, make([]bool, len(want)), false
	err := n.tell(func(index string, in ...table.Interval) error {
		for _, i := range in {
			top = top || i.Contains(inf)
			for score := int(min(i.GE, 1e6)); score < int(min(i.LT, 1e6)); score++ {
				got[score] = true
			}
		}
		_, err := prices.Query(table.Spec[flight]{Index: index, Intervals: in})
		return err
	}, nil)
	if err != nil || !top {
		t.Errorf("told +Inf: %v; %v", top, err)
	}
	for score := range want {
		if got[score] != want[score] {
			t.Fatalf("told of %d: %v", score, got[score])
		}
	}
}
