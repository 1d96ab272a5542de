package main

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// image is a mirror of the shared table, and rivals that hold the same records in memory.
type image struct {
	b      *bench
	mirror *mirror.Mirror[record, int64]
	bare   *bare
	sorted *sorted
	memdb  *memdb
}

var besideMemory = section{mark: "mirror", head: []string{"work", "mirror", "the other", "unit", "mirror / other", "min..max", "goal", ""}, lines: mirrors}

const (
	inMemdb = "go-memdb"
	inSlice = "a sorted slice behind a RWMutex"
)

var mirrors = []line{
	{"mirror-range-100", "range of 100, 1 goroutine, beside bare go-redis", rangeByHand, "ranges/s", 100, true, beside(1, (*image).byMirror, (*image).byBare)},
	{"mirror-range-100-x32", "range of 100, 32 goroutines, beside bare go-redis", rangeByHand, "ranges/s", 20, true, beside(32, (*image).byMirror, (*image).byBare)},
	{"mirror-range-memdb", "range of 100, 1 goroutine, beside go-memdb", inMemdb, "ranges/s", 1.5, true, beside(1, (*image).byMirror, (*image).byMemdb)},
	{"mirror-range-memdb-x32", "range of 100, 32 goroutines, beside go-memdb", inMemdb, "ranges/s", 1.5, true, beside(32, (*image).byMirror, (*image).byMemdb)},
	{"mirror-range-slice", "range of 100, 1 goroutine, beside a slice", inSlice, "ranges/s", 0.2, true, beside(1, (*image).byMirror, (*image).bySlice)},
	{"mirror-range-slice-x32", "range of 100, 32 goroutines, beside a slice", inSlice, "ranges/s", 0.2, true, beside(32, (*image).byMirror, (*image).bySlice)},
	{"mirror-lookup", "look-up by key, 1 goroutine, beside bare go-redis", getByHand, "records/s", 20, true, beside(1, (*image).oneByMirror, (*image).oneByBare)},
	{"mirror-lookup-memdb", "look-up by key, 1 goroutine, beside go-memdb", inMemdb, "records/s", 0.8, true, beside(1, (*image).oneByMirror, (*image).oneByMemdb)},
	{"mirror-lookup-memdb-x32", "look-up by key, 32 goroutines, beside go-memdb", inMemdb, "records/s", 0.8, true, beside(32, (*image).oneByMirror, (*image).oneByMemdb)},
	{"mirror-scan", "scan of all, 1 goroutine, beside a slice", inSlice, "scans/s", 0.1, true, beside(1, (*image).allByMirror, (*image).allBySlice)},
	{"mirror-scan-x32", "scan of all, 32 goroutines, beside a slice", inSlice, "scans/s", 0.1, true, beside(32, (*image).allByMirror, (*image).allBySlice)},
	{"mirror-scan-memdb", "scan of all, 1 goroutine, beside go-memdb", inMemdb, "scans/s", 1, true, beside(1, (*image).allByMirror, (*image).allByMemdb)},
}

// inMemory is one read of an image.
type inMemory func(m *image, ctx context.Context, random *rand.Rand) error

// beside compares a read by the mirror with another.
func beside(goroutines int, ours, other inMemory) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		m, err := b.image(ctx)
		with := func(read inMemory) side {
			return rate(goroutines, b.time, func(ctx context.Context, random *rand.Rand) error { return read(m, ctx, random) })
		}
		return contest{with(ours), with(other)}, err
	}
}

// image opens a mirror of the shared table, once.
func (b *bench) image(ctx context.Context) (*image, error) {
	if b.imaged != nil {
		return b.imaged, nil
	}
	s, err := b.loaded(ctx)
	if err != nil {
		return nil, err
	}
	m, err := mirror.Open(ctx, b.ours, definition(s.table.Name()))
	if err != nil {
		return nil, err
	}
	db, err := newMemdb(b.records)
	b.imaged = &image{b: b, mirror: m, bare: s.bare, sorted: newSorted(b.records), memdb: db}
	return b.imaged, err
}

func (m *image) from(random *rand.Rand) int { return random.IntN(len(m.b.records) - rangeOf) }

// rangeOf is how many records the ranges have.
const rangeOf = 100

func (m *image) byMirror(ctx context.Context, random *rand.Rand) error {
	return between(ctx, m.mirror, m.from(random), rangeOf)
}

func (m *image) byBare(ctx context.Context, random *rand.Rand) error {
	n := 0
	err := m.bare.between(ctx, departing(m.from(random), rangeOf), func(*record) { n++ })
	return errors.Join(err, exactly(n, rangeOf))
}

func (m *image) byMemdb(_ context.Context, random *rand.Rand) error {
	n, err := m.memdb.between(departing(m.from(random), rangeOf))
	return errors.Join(err, exactly(n, rangeOf))
}

func (m *image) bySlice(_ context.Context, random *rand.Rand) error {
	return exactly(m.sorted.between(departing(m.from(random), rangeOf)), rangeOf)
}

func (m *image) key(random *rand.Rand) int64 { return random.Int64N(int64(len(m.b.records))) }

func (m *image) oneByMirror(ctx context.Context, random *rand.Rand) error {
	return get(ctx, m.mirror, m.key(random))
}

func (m *image) oneByBare(ctx context.Context, random *rand.Rand) error {
	id := m.key(random)
	r, err := m.bare.get(ctx, id)
	return errors.Join(err, exactly(int(r.ID), int(id)))
}

func (m *image) oneByMemdb(_ context.Context, random *rand.Rand) error {
	return m.memdb.get(m.key(random))
}

func (m *image) allByMirror(ctx context.Context, _ *rand.Rand) error {
	n, err := recordsOf(ctx, m.mirror)
	return errors.Join(err, exactly(n, len(m.b.records)))
}

func (m *image) allBySlice(context.Context, *rand.Rand) error {
	return exactly(m.sorted.between(table.Everything()), len(m.b.records))
}

func (m *image) allByMemdb(context.Context, *rand.Rand) error {
	n, err := m.memdb.between(table.Everything())
	return errors.Join(err, exactly(n, len(m.b.records)))
}
