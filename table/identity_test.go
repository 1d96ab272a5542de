package table_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// The owner's name is in the truth, and in Stats; each owner has its own.
func TestTheOwnerHasAName(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	host, err := os.Hostname()
	ok(t, err)
	for want, opts := range map[string][]table.Option{
		fmt.Sprintf("%s:%d", host, os.Getpid()): {table.WithOwner("")},
		"loader 7\n\x00ü":                       {table.WithOwner("loader 7\n\x00ü")},
		"after a reset":                         {table.WithReset(), table.WithOwner("after a reset")},
	} {
		tbl := openOn(t, rdb, name, opts...)
		put(t, tbl, numbered(0, 3)...)
		if got := stats(t, tbl).Owner; got != want {
			t.Errorf("Stats tells %q, want %q", got, want)
		}
		if got := rdb.HGet(t.Context(), name+":m", "owner").Val(); got != want {
			t.Errorf("Redis tells %q, want %q", got, want)
		}
	}
}

// A hash of a key is what an error about its record names.
func TestKeyHashIsWhatErrorsName(t *testing.T) {
	t.Parallel()
	tbl, _, _ := openPranks(t)
	var c *table.CodingError
	err := tbl.Put(t.Context(), prank{ID: 5, Do: "get fails"})
	if !errors.As(err, &c) || c.Key == "" || tbl.KeyHash(5) != c.Key || tbl.KeyHash(6) == c.Key {
		t.Errorf("got %q, and %v", tbl.KeyHash(5), err)
	}
	for _, bad := range []int64{refusedNumber, halfwayNumber, panickingNumber} {
		if h := tbl.KeyHash(bad); h != "" {
			t.Errorf("%d: got %q", bad, h)
		}
	}
}
