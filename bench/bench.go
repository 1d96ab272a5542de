package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/bench/delay"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// batch is how many records one call stores.
const batch = 1000

// bench is one run: a server of its own, the records, and the tables that are measured.
type bench struct {
	options
	server  *redistest.Server
	ours    *redis.Client // each side has a client of its own, made alike
	bare    *redis.Client
	records []record
	encoded *encoded
	shared  *sides // loaded, for whatever only reads or writes the same again
	sides   []*sides
	names   int
	delays  []*delay.Proxy
	homes   map[setting]*home // of lines about the feed

	visiting *redis.Client // of the reader
	reader   *table.Reader[record, int64]
	imaged   *image // a mirror, and its rivals
	origin   *origin
	covered  *covered
	closing  []func() error // what has tables in use
}

// sides are the same records in a table of ours and on bare go-redis.
type sides struct {
	b     *bench
	table *table.Table[record, int64]
	bare  *bare
}

func start(o options) (*bench, error) {
	server, err := redistest.Launch(redistest.Options{})
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, server: server}
	b.ours, b.bare = b.client(server.Addr()), b.client(server.Addr())
	b.records = makeRecords(o.count)
	b.encoded = encodeAll(b.records)
	return b, nil
}

func (b *bench) client(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, PoolSize: b.pool, PipelinePoolSize: b.pool, ReadTimeout: 30 * time.Second})
}

func (b *bench) close() error {
	err := b.forget()
	for _, p := range b.delays {
		p.Close()
	}
	if b.origin != nil {
		b.origin.close()
	}
	err = errors.Join(err, b.ours.Close(), b.bare.Close())
	b.server.Stop()
	return err
}

// forget closes all tables.
func (b *bench) forget() (err error) {
	if b.visiting != nil {
		if b.reader != nil {
			err = b.reader.Close()
		}
		err = errors.Join(err, b.visiting.Close())
	}
	b.visiting, b.reader = nil, nil
	if b.imaged != nil {
		err = errors.Join(err, b.imaged.mirror.Close())
	}
	b.imaged = nil
	for _, end := range b.closing {
		err = errors.Join(err, end())
	}
	b.closing, b.covered = nil, nil
	for _, h := range b.homes {
		err = errors.Join(err, h.close())
	}
	b.homes = nil
	for _, s := range b.sides {
		err = errors.Join(err, s.table.Close())
	}
	b.sides, b.shared = nil, nil
	return err
}

// slow returns the same sides, reached through a network that delays.
func (b *bench) slow(ctx context.Context, s *sides) (*sides, error) {
	p, err := delay.To(b.server.Addr(), b.delay)
	if err != nil {
		return nil, err
	}
	b.delays = append(b.delays, p)
	t, err := table.Open(ctx, b.client(p.Addr()), definition(s.table.Name()))
	if err != nil {
		return nil, err
	}
	far := &sides{b: b, table: t, bare: &bare{rdb: b.client(p.Addr()), rows: s.bare.rows, indexes: s.bare.indexes}}
	b.sides = append(b.sides, far)
	return far, nil
}

// empty returns new sides without records.
func (b *bench) empty(ctx context.Context, opts ...table.Option) (*sides, error) {
	b.names++
	name := fmt.Sprintf("ours%d", b.names)
	t, err := table.Open(ctx, b.ours, definition(name), opts...)
	if err != nil {
		return nil, err
	}
	s := &sides{b: b, table: t, bare: newBare(b.bare, fmt.Sprintf("bare%d", b.names))}
	b.sides = append(b.sides, s)
	return s, nil
}

// full returns new sides with all records.
func (b *bench) full(ctx context.Context, opts ...table.Option) (*sides, error) {
	s, err := b.empty(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.putMany(ctx, b.records), s.bare.putMany(ctx, b.encoded)); err != nil {
		return nil, err
	}
	return s, s.bare.sameBytes(ctx, s.table.Name(), 1)
}

// loaded returns sides with all records that measurements share: they leave them as they are.
func (b *bench) loaded(ctx context.Context) (*sides, error) {
	if b.shared != nil {
		return b.shared, nil
	}
	s, err := b.full(ctx)
	b.shared = s
	return s, err
}

func (s *sides) putMany(ctx context.Context, records []record) error {
	return inBatches(ctx, records, s.table.Put)
}

func (s *sides) stageMany(ctx context.Context, records []record) error {
	return inBatches(ctx, records, s.table.ScratchPut)
}

func inBatches(ctx context.Context, records []record, send func(context.Context, ...record) error) error {
	for from := 0; from < len(records); from += batch {
		if err := send(ctx, records[from:min(from+batch, len(records))]...); err != nil {
			return err
		}
	}
	return nil
}

// settled returns when the server frees nothing in the background any more.
func (b *bench) settled(ctx context.Context) error { return settled(ctx, b.bare) }

func settled(ctx context.Context, rdb *redis.Client) error {
	for {
		info, err := rdb.Info(ctx, "memory").Result()
		if err != nil || strings.Contains(info, "lazyfree_pending_objects:0\r\n") {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}
