package table_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/table"
)

// newest are all ways to read; each returns the greatest score of the record with key 1, which grows, or 0 if there is none.
func newest(tbl *items) map[string]func(context.Context) (float64, error) {
	latest := func(i item, err error) (float64, error) {
		if errors.Is(err, table.ErrNotFound) {
			err = nil
		}
		return i.At, err
	}
	return map[string]func(context.Context) (float64, error){
		"Get":   func(ctx context.Context) (float64, error) { return latest(tbl.Get(ctx, 1)) },
		"First": func(ctx context.Context) (float64, error) { return latest(tbl.First(ctx, tbl.All("at"))) },
		"Page": func(ctx context.Context) (at float64, err error) {
			page, _, err := tbl.Page(ctx, tbl.All("at"), "", 1)
			for _, i := range page {
				return latest(i, err)
			}
			return 0, err
		},
		"Records": func(ctx context.Context) (at float64, err error) {
			for i, err := range tbl.Records(ctx, tbl.All("rank")) {
				return latest(i, err)
			}
			return 0, nil
		},
		"Lookup": func(ctx context.Context) (at float64, err error) {
			for i, err := range tbl.Lookup(ctx, 2, 1) {
				return latest(i, err)
			}
			return 0, nil
		},
		"Stream": func(ctx context.Context) (at float64, err error) {
			s := tbl.Stream(ctx, tbl.All("at"))
			for i := range s.C() {
				at = i.At
			}
			return at, s.Err()
		},
	}
}

func TestG1_EveryReadThatStartsAfterAPutSeesIt(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	const last = 200
	var done atomic.Int64
	readers, ctx := errgroup.WithContext(t.Context())
	for name, read := range newest(tbl) {
		readers.Go(func() error {
			for n := int64(0); n < last; {
				n = done.Load()
				if at, err := read(ctx); err != nil || at < float64(n) {
					return fmt.Errorf("%s after Put %d: got %v, %v", name, n, at, err)
				}
			}
			return nil
		})
	}
	for n := range int64(last) {
		put(t, tbl, item{ID: 1, At: float64(n + 1)})
		done.Store(n + 1)
	}
	ok(t, readers.Wait())
}

func TestG1_EveryReadThatStartsAfterADeleteMissesWhatIsGone(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	for _, remove := range []func() error{
		func() error { _, err := tbl.DeleteKeys(t.Context(), 1); return err },
		func() error { _, err := tbl.Delete(t.Context(), tbl.All("at")); return err },
		func() error { return tbl.Clear(t.Context()) },
	} {
		put(t, tbl, item{ID: 1, At: 1})
		ok(t, remove())
		for name, read := range newest(tbl) {
			if at, err := read(t.Context()); err != nil || at != 0 {
				t.Errorf("%s: got %v, %v", name, at, err)
			}
		}
	}
}
