package table_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// TestAQueryIsWhatIsRead: without empty intervals, and in the order of reading.
func TestAQueryIsWhatIsRead(t *testing.T) {
	t.Parallel()
	def := itemDefinition("any")
	in := []table.Interval{{GE: 5, LT: 9}, {GE: 2, LT: 2}, {GE: 0, LT: 1}, table.Only(inf)}
	q, err := def.Query(table.Spec[item]{Index: "rank", Intervals: in, Reverse: true, Limit: 3})
	ok(t, err)
	if want := []table.Interval{table.Only(inf), {GE: 0, LT: 1}, {GE: 5, LT: 9}}; q.Index != 1 || q.Limit != 3 || !q.Reverse || !slices.Equal(q.Intervals, want) {
		t.Errorf("got %+v", q)
	}
	for _, wrong := range []struct {
		spec table.Spec[item]
		want error
	}{
		{table.Spec[item]{Index: "other"}, table.ErrUnknownIndex},
		{table.Spec[item]{Index: "at", Limit: -1}, table.ErrInvalidSpec},
		{table.Spec[item]{Index: "at", Intervals: []table.Interval{{GE: 2, LT: 1}}}, table.ErrInvalidSpec},
	} {
		if _, err := def.Query(wrong.spec); !errors.Is(err, wrong.want) {
			t.Errorf("%+v: got %v", wrong.spec, err)
		}
	}
}

// TestR6_ATokenOfAQueryIsATablesToken, both ways, and leads nowhere else.
func TestR6_ATokenOfAQueryIsATablesToken(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	def, s := itemDefinition(tbl.Name()), tbl.Range("at", 20, 80)
	q, err := def.Query(s)
	ok(t, err)
	_, token, err := tbl.Page(t.Context(), s, "", 2)
	ok(t, err)
	at, err := q.Place(token)
	ok(t, err)
	if at.Interval != 0 || at.Score != 30 || string(at.Key) != rawKey(3) {
		t.Errorf("got %+v", at)
	}
	if q.Token(at) != token {
		t.Error("the same place has another token")
	}
	got, _, err := tbl.Page(t.Context(), s, q.Token(table.Place{Score: 55, Key: []byte(rawKey(900))}), 1)
	if ok(t, err); len(got) != 1 || got[0].ID != 6 {
		t.Errorf("got %v", got)
	}
	for _, wrong := range []table.Place{{Score: 80}, {Interval: 1, Score: 50}} {
		if _, err := q.Place(q.Token(wrong)); !errors.Is(err, table.ErrInvalidSpec) {
			t.Errorf("%+v: got %v", wrong, err)
		}
	}
}

func TestLookupKeysAreThoseOfALookup(t *testing.T) {
	t.Parallel()
	def := itemDefinition("any")
	keys, err := def.LookupKeys(3, 1, 3)
	ok(t, err)
	if got, want := fmt.Sprintf("%q", keys), fmt.Sprintf("%q", []string{rawKey(3), rawKey(1)}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := def.LookupKeys(make([]int64, 10_001)...); !errors.Is(err, table.ErrTooLarge) {
		t.Errorf("too many: got %v", err)
	}
}

func TestHoldsTellsAPanicOfAPredicate(t *testing.T) {
	t.Parallel()
	holds, err := table.Holds(nil, &item{})
	if ok(t, err); !holds {
		t.Error("no predicate does not hold")
	}
	def := itemDefinition("any")
	q, err := def.Query(table.Spec[item]{Index: "at"})
	ok(t, err)
	var coding *table.CodingError
	_, err = table.Holds(func(*item) bool { panic("secret") }, &item{})
	err = q.Fault([]byte("key"), err)
	if !errors.As(err, &coding) || !errors.Is(err, table.ErrPanic) || coding.Table != "any" || coding.Key == "" {
		t.Errorf("got %v", err)
	}
}

// TestR6_NothingComesBehindADamagedRowThatIsTheLast: then there is no token, also where a predicate had other rows judged before.
func TestR6_NothingComesBehindADamagedRowThatIsTheLast(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 2)...)
	rdb := redistest.Shared(t).Client(t)
	ok(t, rdb.HSet(t.Context(), tbl.Name()+":r", rawKey(1), "\x00\x00\x00\x00damaged").Err())
	s := tbl.All("at").Where(func(i *item) bool { return i.ID > 0 })
	got, token, err := tbl.Page(t.Context(), s, "", 1)
	if !errors.As(err, new(*table.CodingError)) || token != "" || len(got) != 0 {
		t.Errorf("got %v, %q, %v", got, token, err)
	}
	put(t, tbl, numbered(1, 2)...)
}
