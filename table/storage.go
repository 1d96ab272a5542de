package table

import (
	"context"
	"iter"
)

// Storage is a table without the type of its keys: what a cache layer needs of it.
type Storage[R any] interface {
	Name() string
	All(index string) Spec[R]
	Range(index string, ge, lt float64) Spec[R]
	Put(ctx context.Context, records ...R) error
	Records(ctx context.Context, s Spec[R]) iter.Seq2[R, error]
	Stream(ctx context.Context, s Spec[R]) *Stream[R]
	First(ctx context.Context, s Spec[R]) (R, error)
	Count(ctx context.Context, s Spec[R]) (int, error)
	Delete(ctx context.Context, s Spec[R]) (int, error)
	DeleteSeq(ctx context.Context, s Spec[R]) iter.Seq2[R, error]
	ScratchPut(ctx context.Context, records ...R) error
	ScratchDiscard(ctx context.Context, s Spec[R]) (int, error)
	ScratchDiscardSeq(ctx context.Context, s Spec[R]) iter.Seq2[R, error]
	ScratchMerge(ctx context.Context) error
	ScratchAbort(ctx context.Context) error
	WaitClear(ctx context.Context) error
	Clear(ctx context.Context) error
	Stats(ctx context.Context) (Stats, error)
	Close() error
}

var _ Storage[struct{}] = (*Table[struct{}, string])(nil)
