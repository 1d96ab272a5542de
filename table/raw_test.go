package table_test

import (
	"context"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Positions of the scores among an item's attributes.
var scoreParts = map[string]int{"at": 2, "rank": 3}

// checkScores fails when an item does not have, in an index, the very score that stands in its row. Rows that a test has
// damaged are passed over.
func checkScores(t testing.TB, rdb redis.UniversalClient, name string) {
	t.Helper()
	ctx := context.Background()
	for hash, set := range map[string]string{":r": ":i:", ":s": ":x:"} {
		rows, err := rdb.HGetAll(ctx, name+hash).Result()
		if err != nil {
			return // the server is gone, or the test put a foreign type there: the walk tells
		}
		for index, part := range scoreParts {
			for _, z := range rdb.ZRangeWithScores(ctx, name+set+index, 0, -1).Val() {
				want, whole := storedFloat(rows[z.Member.(string)], part)
				if whole && want != z.Score {
					t.Errorf("%s%s%s: score %v, but %v in the row", name, set, index, z.Score, want)
				}
			}
		}
	}
}

// storedFloat returns the float64 that is part n of a row.
func storedFloat(row string, n int) (f float64, whole bool) {
	b := []byte(row)
	if len(b) < 4 {
		return 0, false
	}
	b = b[4:]
	for ; ; n-- {
		size, w := binary.Uvarint(b)
		if w <= 0 || size > uint64(len(b)-w) || (n == 0 && size != 8) {
			return 0, false
		}
		if n == 0 {
			return math.Float64frombits(binary.BigEndian.Uint64(b[w:])), true
		}
		b = b[w+int(size):]
	}
}

// rawKey is the key of an item as Redis has it.
func rawKey(id int64) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(id)))
}

// dump returns all that a table of items keeps in Redis, to compare before and after.
func dump(t testing.TB, rdb redis.UniversalClient, name string) map[string]any {
	t.Helper()
	out := make(map[string]any)
	for _, suffix := range []string{":m", ":r", ":s"} {
		hash, err := rdb.HGetAll(t.Context(), name+suffix).Result()
		ok(t, err)
		out[suffix] = hash
	}
	for _, suffix := range []string{":i:at", ":i:rank", ":x:at", ":x:rank"} {
		set, err := rdb.ZRangeWithScores(t.Context(), name+suffix, 0, -1).Result()
		ok(t, err)
		out[suffix] = set
	}
	return out
}

// wantUntouched fails when one of the keys (none given: any) differs from what an earlier dump has found.
func wantUntouched(t testing.TB, rdb redis.UniversalClient, name string, before map[string]any, suffixes ...string) {
	t.Helper()
	for suffix, now := range dump(t, rdb, name) {
		asked := len(suffixes) == 0 || slices.Contains(suffixes, suffix)
		if asked && !reflect.DeepEqual(now, before[suffix]) {
			t.Errorf("%s%s has changed", name, suffix)
		}
	}
}

// counter counts the commands that a client sends.
type counter struct{ n atomic.Int64 }

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(int64(len(cmds)))
		return next(ctx, cmds)
	}
}

// foldCalls keeps the commands of folds that a client sends.
type foldCalls struct {
	counter
	mu   sync.Mutex // guards seen
	seen [][]any
}

func (f *foldCalls) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); args[len(args)-1] == foldBatch {
			f.mu.Lock()
			f.seen = append(f.seen, args)
			f.mu.Unlock()
		}
		return next(ctx, cmd)
	}
}

func (f *foldCalls) all() [][]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// foldBatch is the last argument of a fold, and of nothing else in these tests.
const foldBatch = 256 << 10
