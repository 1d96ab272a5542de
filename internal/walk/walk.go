package walk

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Walk fails the test, naming each fault, when Check finds any. It may be called in t.Cleanup and while the table works.
func Walk(t testing.TB, rdb redis.UniversalClient, table string, indexes ...string) {
	t.Helper()
	if err := Check(context.Background(), rdb, table, indexes); err != nil {
		t.Errorf("the keys of table %s are not as they must be:\n%v", table, err)
	}
}

// Check returns nil when the keys of table, which has these indexes, are as they must be at one moment: the truth in
// T:m parses and counts right; each merged row has exactly one entry in each index and each staged row in each staged
// index, and nothing dangles; nothing is staged in a clear table; generations fit; and no key with the table's prefix
// belongs to nobody; and the feed, where there is one, ends with the truth's number. Otherwise it returns all faults it has found, joined. Rows and keys appear in none of them.
// It reads the whole table into memory: it is for tests.
func Check(ctx context.Context, rdb redis.UniversalClient, table string, indexes []string) error {
	c, err := read(ctx, rdb, table, indexes)
	if err != nil {
		return err
	}
	m, err := parse(c.truth)
	if err != nil {
		return err
	}
	strays, err := strays(ctx, rdb, table, indexes)
	return errors.Join(err, strays, checkFeed(c), m.checkCounts(c), m.checkMerged(c), m.checkStaged(c))
}

// content is all that a table keeps in Redis, at one moment.
type content struct {
	truth        map[string]string
	last         []redis.XMessage // of the feed; empty: there is none
	rows, staged map[string]string
	index        map[string]scores // of merged rows
	shadow       map[string]scores // of staged rows
}

type scores map[string]float64

// read brings the whole table in one transaction.
func read(ctx context.Context, rdb redis.UniversalClient, table string, indexes []string) (*content, error) {
	tx := rdb.TxPipeline()
	truth, rows, staged := tx.HGetAll(ctx, table+":m"), tx.HGetAll(ctx, table+":r"), tx.HGetAll(ctx, table+":s")
	last := tx.XRevRangeN(ctx, table+":f", "+", "-", 1)
	merged, shadow := make([]*redis.ZSliceCmd, len(indexes)), make([]*redis.ZSliceCmd, len(indexes))
	for j, name := range indexes {
		merged[j] = tx.ZRangeWithScores(ctx, table+":i:"+name, 0, -1)
		shadow[j] = tx.ZRangeWithScores(ctx, table+":x:"+name, 0, -1)
	}
	if _, err := tx.Exec(ctx); err != nil {
		return nil, fmt.Errorf("walk: reading table %s: %w", table, err)
	}
	return &content{truth: truth.Val(), last: last.Val(), rows: rows.Val(), staged: staged.Val(),
		index: byName(indexes, merged), shadow: byName(indexes, shadow)}, nil
}

func byName(names []string, sets []*redis.ZSliceCmd) map[string]scores {
	all := make(map[string]scores)
	for j, name := range names {
		all[name] = make(scores)
		for _, z := range sets[j].Val() {
			all[name][z.Member.(string)] = z.Score
		}
	}
	return all
}
