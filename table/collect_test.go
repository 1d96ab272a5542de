package table_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

func TestCollectStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	asked := 0
	seq := func(yield func(int, error) bool) {
		for i := range 5 {
			var err error
			if i == 3 {
				err = bad
			}
			if asked++; !yield(i, err) {
				return
			}
		}
	}
	got, err := table.Collect(seq)
	if !slices.Equal(got, []int{0, 1, 2}) || !errors.Is(err, bad) || asked != 4 {
		t.Errorf("got %v, %v after %d", got, err, asked)
	}
	if got, err := table.Collect(func(func(int, error) bool) {}); got != nil || err != nil {
		t.Errorf("of nothing got %v, %v", got, err)
	}
}
