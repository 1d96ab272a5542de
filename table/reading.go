package table

import (
	"context"
	"iter"
)

// Reading is what any handle on a table can be asked, whatever the type of its keys: a *Table, a *Reader, a *mirror.Mirror and
// a *mirror.Snapshot have it, and KeyReading and NotedReading, too.
type Reading[R any] interface {
	Name() string
	All(index string) Spec[R]
	Range(index string, ge, lt float64) Spec[R]
	Records(ctx context.Context, s Spec[R]) iter.Seq2[R, error]
	First(ctx context.Context, s Spec[R]) (R, error)
	Count(ctx context.Context, s Spec[R]) (int, error)
	Page(ctx context.Context, s Spec[R], after Token, n int) ([]R, Token, error)
	Position() Position
	WaitFor(ctx context.Context, p Position) error
}

// KeyReading is Reading, and records by their keys.
type KeyReading[R any, K comparable] interface {
	Reading[R]
	Get(ctx context.Context, key K) (R, error)
	Lookup(ctx context.Context, keys ...K) iter.Seq2[R, error]
}

// NotedReading is Reading, and the note with its version: for who ties a read to what the note says (Spec.IfNote).
type NotedReading[R any] interface {
	Reading[R]
	Noted(ctx context.Context) ([]byte, NoteVersion, error)
}

var (
	_ KeyReading[struct{}, string] = (*Table[struct{}, string])(nil)
	_ NotedReading[struct{}]       = (*Table[struct{}, string])(nil)
)
