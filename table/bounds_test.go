package table_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// blob is a record that may be as large as one likes.
type blob struct {
	Key string
	Raw []byte
}

func blobDefinition(name string) table.Definition[blob, string] {
	return table.Definition[blob, string]{Name: name,
		PrimaryKey: table.Key(codec.String, func(b *blob) string { return b.Key }),
		Attributes: []table.Attribute[blob]{table.Field("raw", codec.Bytes, func(b *blob) *[]byte { return &b.Raw })},
		Indexes:    []table.Index[blob]{table.By("size", func(b *blob) float64 { return float64(len(b.Raw)) })}}
}

func manyKeys(n int) (keys []string) {
	for i := range n {
		keys = append(keys, strconv.Itoa(i))
	}
	return keys
}

// What is too large is refused with ErrTooLarge before anything is sent; what is just small enough is stored and read.
// (Not parallel: it needs much memory.)
func TestWhatIsTooLargeIsRefused(t *testing.T) {
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	tbl := open(t, rdb, blobDefinition("t"), []string{"size"}, table.WithLease(time.Hour)) // no renewal is counted
	longest, longer := strings.Repeat("k", 64<<10), strings.Repeat("k", 64<<10+1)
	largest := make([]byte, 64<<20-8) // a generation and a length come with it
	sent := new(counter)
	rdb.AddHook(sent)
	for what, call := range map[string]func(context.Context) error{
		"a key":             func(ctx context.Context) error { return tbl.Put(ctx, blob{Key: longer}) },
		"a staged key":      func(ctx context.Context) error { return tbl.ScratchPut(ctx, blob{Key: longer}) },
		"a key to look for": func(ctx context.Context) error { _, err := tbl.Get(ctx, longer); return err },
		"a key to delete":   func(ctx context.Context) error { _, err := tbl.DeleteKeys(ctx, "a", longer); return err },
		"a key to apply": func(ctx context.Context) error {
			return tbl.Apply(ctx, table.Batch[blob, string]{Delete: []string{longer}})
		},
		"a key to update": func(ctx context.Context) error { return tbl.Update(ctx, longer, func(*blob) error { return nil }) },
		"a note": func(ctx context.Context) error {
			return tbl.Apply(ctx, table.Batch[blob, string]{Note: []byte(longer)})
		},
		"a batch": func(ctx context.Context) error {
			return tbl.Apply(ctx, table.Batch[blob, string]{Put: []blob{{Key: "a"}}, Delete: manyKeys(1000)})
		},
		"a record": func(ctx context.Context) error {
			return tbl.Put(ctx, blob{Key: "a"}, blob{Key: "b", Raw: append(largest, 1, 2, 3, 4, 5, 6, 7, 8)})
		},
	} {
		if err := call(t.Context()); !errors.Is(err, table.ErrTooLarge) {
			t.Errorf("%s: got %v, want ErrTooLarge", what, err)
		}
	}
	if n := sent.n.Load(); n != 0 {
		t.Errorf("%d commands were sent", n)
	}
	ok(t, tbl.Put(t.Context(), blob{Key: longest, Raw: largest}))
	got, err := tbl.Get(t.Context(), longest)
	ok(t, err)
	if len(got.Raw) != len(largest) {
		t.Errorf("%d bytes came back", len(got.Raw))
	}
}
