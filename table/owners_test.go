package table_test

import (
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A new process sees all rows, of whatever generation they are.
func TestU11_ANewProcessSeesRowsOfAllGenerations(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 1)...)
	for n := 1; n < 4; n++ {
		ok(t, first.ScratchPut(t.Context(), numbered(n, n+1)...))
		ok(t, first.ScratchMerge(t.Context()))
	}
	ok(t, first.Close())
	second := openOn(t, rdb, name)
	wantIDs(t, second, second.All("at"), 0, 1, 2, 3)
	ok(t, second.WaitClear(t.Context()))
}

// What a crashed writer has staged is not published by its successor's merge.
func TestU12_WhatACrashedWriterStagedIsDropped(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 2)...)
	ok(t, first.ScratchPut(t.Context(), numbered(5, 7)...))
	_, err := first.ScratchDiscard(t.Context(), first.Range("at", 0, 1))
	ok(t, err)
	second := openOn(t, rdb, name) // the first is not closed: it has crashed
	ok(t, second.ScratchPut(t.Context(), numbered(9, 10)...))
	ok(t, second.ScratchMerge(t.Context()))
	ok(t, second.WaitClear(t.Context()))
	wantIDs(t, second, second.All("at"), 0, 1, 9)
}

// A second instance empties nothing behind the first one's back: the first is told that it is not the owner any more.
func TestU13_ASecondInstanceIsNotSilent(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 2)...)
	second := openOn(t, rdb, name)
	wantIDs(t, second, second.All("at"), 0, 1)
	put(t, second, numbered(2, 3)...)
	if err := first.Put(t.Context(), numbered(3, 4)...); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	wantIDs(t, second, second.All("at"), 0, 1, 2)
}
