package table_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// badRows are what a foreign hand may make of a row; attribute is where it shows, if in one.
func badRows() map[string]struct{ row, attribute string } {
	id, name := "\x08\x00\x00\x00\x00\x00\x00\x00\x02", "\x06canary"
	rest := "\x08" + strings.Repeat("\x00", 8) + "\x08" + strings.Repeat("\x00", 8) + "\x01\x00" + "\x00"
	head := "\x00\x00\x00\x00"
	return map[string]struct{ row, attribute string }{
		"empty":                  {"", ""},
		"half a generation":      {"\x00\x00", ""},
		"a tombstone":            {head, ""},
		"text":                   {"canary", "id"},
		"cut short":              {head + id + "\x06canar", "name"},
		"bytes left over":        {head + id + name + rest + "!", ""},
		"an attribute too short": {head + "\x02ab" + name + rest, "id"},
		"a length that lies":     {head + id + "\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + "canary", "name"},
		"an endless length":      {head + id + strings.Repeat("\xff", 20), "name"},
		"no UTF-8":               {head + id + "\x02\xff\xfe" + rest, "name"},
		"a null mark of 02":      {head + id + name + rest[:18] + "\x01\x02" + "\x00", "note"},
	}
}

// breakRow puts a row in the place of that of key 2, behind the table's back.
func breakRow(t testing.TB, rdb *redis.Client, tbl *items, row string) {
	t.Helper()
	ok(t, rdb.HSet(t.Context(), tbl.Name()+":r", rawKey(2), row).Err())
}

// wantDamage checks that every kind of read tells the damaged row, and only that, by an error in its place.
func wantDamage(t *testing.T, tbl *items, attribute string) {
	t.Helper()
	var got []int64
	for i, err := range tbl.Records(t.Context(), tbl.All("at")) {
		if err != nil {
			wantCodingError(t, tbl, err, attribute)
			i.ID = -2
		}
		got = append(got, i.ID)
	}
	if !slices.Equal(got, []int64{0, 1, -2, 3}) {
		t.Errorf("got %v", got)
	}
	stream := tbl.Stream(t.Context(), tbl.All("at"))
	if got = keysOf(slices.Collect(received(stream.C()))); !slices.Equal(got, []int64{0, 1, 3}) {
		t.Errorf("the stream gave %v", got)
	}
	wantCodingError(t, tbl, stream.Err(), attribute)
	_, err := tbl.Get(t.Context(), 2)
	wantCodingError(t, tbl, err, attribute)
	_, err = tbl.First(t.Context(), tbl.Range("at", 20, 30))
	wantCodingError(t, tbl, err, attribute)
	wantCodingError(t, tbl, lastError(tbl.Lookup(t.Context(), 1, 3, 2)), attribute)
	_, err = tbl.Count(t.Context(), tbl.All("at").Where(func(*item) bool { return true }))
	wantCodingError(t, tbl, err, attribute)
}

func wantCodingError(t *testing.T, tbl *items, err error, attribute string) {
	t.Helper()
	var coding *table.CodingError
	if !errors.As(err, &coding) || !errors.Is(err, codec.ErrData) {
		t.Fatalf("got %v, want a CodingError", err)
	}
	if coding.Table != tbl.Name() || coding.Attribute != attribute || coding.Index != "" || !coding.Decoding || len(coding.Key) != 16 {
		t.Errorf("got %+v, want attribute %q", coding, attribute)
	}
	if strings.Contains(err.Error(), "canar") {
		t.Errorf("the error tells what is in the row: %v", err)
	}
}

func TestG12_ADamagedRowIsAnErrorForThatRowAlone(t *testing.T) {
	t.Parallel()
	for name, c := range badRows() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Shared(t).Client(t)
			tbl := openOn(t, rdb, redistest.Prefix(t))
			put(t, tbl, numbered(0, 4)...)
			breakRow(t, rdb, tbl, c.row)
			wantDamage(t, tbl, c.attribute)

			wantCodingError(t, tbl, lastError(tbl.DeleteSeq(t.Context(), tbl.Range("at", 20, 30))), c.attribute)
			put(t, tbl, numbered(2, 3)...) // it can be overwritten
			wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 4))

			breakRow(t, rdb, tbl, c.row)
			n, err := tbl.DeleteKeys(t.Context(), 2) // and deleted
			ok(t, err)
			if n != 1 {
				t.Errorf("deleted %d", n)
			}
			wantIDs(t, tbl, tbl.All("rank"), 0, 3, 1)
		})
	}
}

func TestG12_ADamagedRowIsReplacedByAReload(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 4)...)
	breakRow(t, rdb, tbl, "canary")
	if err := lastError(tbl.ScratchDiscardSeq(t.Context(), tbl.Range("at", 20, 30))); err == nil {
		t.Error("a row that cannot be judged was discarded")
	}
	ok(t, tbl.ScratchPut(t.Context(), numbered(2, 3)...))
	ok(t, tbl.ScratchMerge(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 4))
	ok(t, tbl.WaitClear(t.Context()))
}

func TestG12_WhatAUsersFunctionMakesOfARowIsAnErrorForThatRow(t *testing.T) {
	t.Parallel()
	tbl, _, _ := openPranks(t)
	causes := map[int64]error{
		unreadable: errPrank, unreadablePanic: table.ErrPanic, unsettable: errPrank, unsettablePanic: table.ErrPanic,
	}
	id := int64(0)
	for v := range causes {
		ok(t, tbl.Put(t.Context(), prank{ID: id, V: 1}, prank{ID: id + 1, V: v}))
		id += 2
		keys, faults := drainPranks(tbl.Lookup(t.Context(), id-1, id-2))
		if !slices.Equal(keys, []int64{id - 2}) || len(faults) != 1 || !errors.Is(faults[0], causes[v]) ||
			strings.Contains(faults[0].Error(), secret) {
			t.Errorf("%d: got %v and %v", v, keys, faults)
		}
	}
	keys, faults := drainPranks(tbl.Records(t.Context(), tbl.All("at")))
	if !slices.Equal(keys, []int64{0, 2, 4, 6}) || len(faults) != 4 {
		t.Errorf("got %v and %v", keys, faults)
	}
}

func TestG12_APredicateThatPanicsIsAnErrorForThatRecord(t *testing.T) {
	t.Parallel()
	tbl, _, _ := openPranks(t)
	for id := range int64(4) {
		ok(t, tbl.Put(t.Context(), prank{ID: id}))
	}
	s := tbl.All("rank").Where(func(p *prank) bool {
		if p.ID == 1 {
			panic(secret)
		}
		return p.ID != 2
	})
	keys, faults := drainPranks(tbl.Records(t.Context(), s))
	var coding *table.CodingError
	if !slices.Equal(keys, []int64{0, 3}) || len(faults) != 1 || !errors.Is(faults[0], table.ErrPanic) || !errors.As(faults[0], &coding) {
		t.Errorf("got %v and %v", keys, faults)
	}
	if _, err := tbl.Count(t.Context(), s); !errors.Is(err, table.ErrPanic) || strings.Contains(err.Error(), secret) {
		t.Errorf("count: got %v", err)
	}
}

// A damaged row is an error in its place, may be overwritten, and may be deleted.
func TestU20_ADamagedRowDoesNotSpoilItsRange(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(1), "damaged", rawKey(3), "").Err())
	var seen []int64
	var damaged []string
	for i, err := range tbl.Records(t.Context(), tbl.All("at")) {
		var c *table.CodingError
		if errors.As(err, &c) {
			damaged = append(damaged, c.Key)
			continue
		}
		ok(t, err)
		seen = append(seen, i.ID)
	}
	if fmt.Sprint(seen, damaged) != fmt.Sprint([]int64{0, 2, 4}, []string{hashOf(1), hashOf(3)}) {
		t.Errorf("read %v, damaged are %v", seen, damaged)
	}
	put(t, tbl, numbered(1, 2)...)
	n, err := tbl.DeleteKeys(t.Context(), 3)
	ok(t, err)
	wantIDs(t, tbl, tbl.All("rank"), 0, 1, 4, 2)
	if n != 1 {
		t.Errorf("%d deleted, want 1", n)
	}
}
