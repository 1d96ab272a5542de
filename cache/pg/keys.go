package pg

import (
	"context"
	"iter"

	"github.com/tablecache-go/tablecache/cache"
)

// KeyedSource is a Source that can fetch by key, too. It is safe for concurrent use.
type KeyedSource[R any, K comparable] struct {
	*Source[R]
	sql   string
	array func(keys []K) any
}

var (
	_ cache.Source[any]         = (*KeyedSource[any, int])(nil)
	_ cache.KeySource[any, int] = (*KeyedSource[any, int])(nil)
)

// Keyed returns s with a query for records by their keys, of a type that pgx makes a PostgreSQL array of: pg.Keyed[int64](s, sql). The
// placeholder $1 is the array: "SELECT … WHERE id = ANY($1)". The query selects each record once.
func Keyed[K comparable, R any](s *Source[R], sql string) *KeyedSource[R, K] {
	return &KeyedSource[R, K]{Source: s, sql: sql, array: func(keys []K) any { return keys }}
}

// KeyedBy is Keyed for keys of other types: the array is of what value makes of each. Of a key that has several parts it may make a text, say, that
// the query makes of the columns, too: "WHERE airline || ' ' || number = ANY($1)".
func KeyedBy[K comparable, V, R any](s *Source[R], sql string, value func(key K) V) *KeyedSource[R, K] {
	return &KeyedSource[R, K]{Source: s, sql: sql, array: func(keys []K) any {
		values := make([]V, len(keys))
		for i, key := range keys {
			values[i] = value(key)
		}
		return values
	}}
}

// FetchKeys yields the records that there are of keys, as Fetch does. A key of which there is none is left out.
func (s *KeyedSource[R, K]) FetchKeys(ctx context.Context, keys []K) iter.Seq2[R, error] {
	if len(keys) == 0 {
		return func(func(R, error) bool) {}
	}
	return s.read(ctx, "fetch by key", []statement{{sql: s.sql, args: []any{s.array(keys)}}})
}
