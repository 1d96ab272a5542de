package cache

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// Marks are compared with a list of all invalidations and fetches, score by score.
func TestMarksKeepWhatWasInvalidated(t *testing.T) {
	t.Parallel()
	const scores, steps = 20, 60
	for range 500 {
		var m marks
		var invalidated [scores][]uint64 // what no fetch has begun after
		for number := uint64(1); number <= steps; number++ {
			ge := rand.IntN(scores)
			lt := ge + 1 + rand.IntN(scores-ge)
			set := []table.Interval{{GE: float64(ge), LT: float64(lt)}}
			begun := uint64(rand.IntN(int(number)))
			isFetch := rand.IntN(3) == 0
			if isFetch {
				m = m.fetched(set, begun)
			} else {
				m = m.add(set, number)
			}
			for score := ge; score < lt; score++ {
				if isFetch {
					invalidated[score] = after(invalidated[score], begun)
				} else {
					invalidated[score] = append(invalidated[score], number)
				}
			}
			compareMarks(t, m, invalidated[:], number)
		}
	}
}

func after(all []uint64, number uint64) (left []uint64) {
	for _, n := range all {
		if n > number {
			left = append(left, n)
		}
	}
	return left
}

// compareMarks checks that nothing is forgotten, for whomever, and that nothing else is invalid in the end.
func compareMarks(t *testing.T, m marks, invalidated [][]uint64, number uint64) {
	t.Helper()
	for score, all := range invalidated {
		for _, n := range all {
			if !has(m.upTo(n), float64(score)) {
				t.Fatalf("%d is not invalid for who has come after invalidation %d: %v", score, n, m)
			}
		}
		if is := has(m.upTo(number), float64(score)); is != (len(all) > 0) {
			t.Fatalf("%d is invalid: %v, by %v: %v", score, is, all, m)
		}
	}
	for i := 1; i < len(m); i++ {
		if m[i-1].LT > m[i].GE {
			t.Fatalf("%v overlap", m)
		}
	}
}

// Beyond a bound neighbours are joined, and nothing is forgotten.
func TestManyMarksAreJoined(t *testing.T) {
	t.Parallel()
	var m marks
	for n := range uint64(5 * mostMarks) {
		m = m.add([]table.Interval{table.Only(float64(n))}, n+1)
		if len(m) > mostMarks {
			t.Fatalf("%d marks", len(m))
		}
	}
	for n := range uint64(5 * mostMarks) {
		if !has(m.upTo(n+1), float64(n)) {
			t.Fatalf("%d is not invalid", n)
		}
	}
}

// A key that was named again, before the first time was dealt with, is still invalid for who has come after the first.
func TestALaterInvalidationOfAKeyDoesNotHideAnEarlierOne(t *testing.T) {
	t.Parallel()
	var b books[int]
	b.begin(held{}, table.NoteVersion{})
	b.invalidateKeys([]int{1})
	number := b.at.Load().number
	b.invalidateKeys([]int{1})
	if !b.isInvalid(1, number) || len(b.invalidKeys(number)) != 1 {
		t.Error("it is hidden")
	}
	b.fetchedKeys([]int{1}, number)
	if b.isInvalid(1, number) || !b.isInvalid(1, number+1) {
		t.Error("what was fetched is not told from what was not")
	}
}

// C4: what was never loaded, but lies between what was, stays invalid whatever is replayed.
func TestC4_ReplayingLoadsNothing(t *testing.T) {
	t.Parallel()
	unloaded := Span{Interval: table.Interval{GE: 2, LT: 3}, Invalid: true}
	var b books[int]
	b.begin(noteOf(span(1, 2), unloaded, span(3, 4)), table.NoteVersion{})
	b.replayed()
	if now := b.at.Load().now; !slices.Equal(now.invalid(), []table.Interval{unloaded.Interval}) {
		t.Errorf("invalid is %v", now.invalid())
	}
}
