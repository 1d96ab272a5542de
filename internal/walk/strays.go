package walk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/redis/go-redis/v9"
)

// strays returns a fault for each key with the table's prefix that is neither its own nor of another table, whose name
// may well begin with this one's.
func strays(ctx context.Context, rdb redis.UniversalClient, table string, indexes []string) (faults, err error) {
	keys, err := scan(ctx, rdb, table+":*")
	if err != nil {
		return nil, fmt.Errorf("walk: scanning for keys of table %s: %w", table, err)
	}
	own := []string{table + ":m", table + ":r", table + ":s", table + ":f"}
	for _, name := range indexes {
		own = append(own, table+":i:"+name, table+":x:"+name)
	}
	var errs []error
	for _, key := range keys {
		if !slices.Contains(own, key) && !ofAnother(keys, table, key) {
			errs = append(errs, fmt.Errorf("walk: stray key %s", key))
		}
	}
	return errors.Join(errs...), nil
}

func scan(ctx context.Context, rdb redis.UniversalClient, pattern string) (keys []string, err error) {
	for cursor := uint64(0); ; {
		found, next, err := rdb.Scan(ctx, cursor, pattern, 1000).Result()
		if err != nil {
			return nil, err
		}
		keys = append(keys, found...)
		if cursor = next; cursor == 0 {
			return keys, nil
		}
	}
}

var suffix = regexp.MustCompile(`:(m|r|s|f|[ix]:[A-Za-z0-9_.-]{1,64})$`)

// ofAnother tells whether the key is of a table other than this one that exists.
func ofAnother(keys []string, table, key string) bool {
	at := suffix.FindStringIndex(key)
	return at != nil && key[:at[0]] != table && slices.Contains(keys, key[:at[0]]+":m")
}
