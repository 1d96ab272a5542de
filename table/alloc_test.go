package table_test

import (
	"context"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

// What one call of one caller allocates, in all goroutines, from the call to the socket and back. Not parallel: everything counts.
func TestOneCallAllocatesLittle(t *testing.T) {
	tbl := openOn(t, redistest.Shared(t).Client(t), redistest.Prefix(t))
	put(t, tbl, numbered(0, 200)...)
	slack := 1.0
	if underRace() {
		slack = 1.25 // pools keep less then
	}
	one := numbered(7, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, c := range []struct {
		what string
		most float64
		call func() error
	}{
		{"a look-up", 20, func() error { _, err := tbl.Get(ctx, 7); return err }},
		{"a range of one record", 40, func() error { return lastError(tbl.Records(ctx, tbl.Range("at", 7, 8))) }},
		{"a put", 60, func() error { return tbl.Put(ctx, one...) }},
	} {
		for range 100 {
			ok(t, c.call())
		}
		n := testing.AllocsPerRun(500, func() { ok(t, c.call()) })
		t.Logf("%s: %.0f", c.what, n)
		if n > c.most*slack {
			t.Errorf("%s allocates %.0f times, want at most %.0f", c.what, n, c.most)
		}
	}
}

// underRace tells whether the race detector is on.
func underRace() bool {
	info, found := debug.ReadBuildInfo()
	return found && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
