package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// setting is how the server of a line is set up.
type setting int

const (
	onOurs     setting = iota // as for all other lines
	appendOnly                // it writes a log, with appendfsync everysec
	replicated                // a replica is attached
)

// home is a server, and two tables on it with all records.
type home struct {
	b             *bench
	servers       []*redistest.Server // started for it
	rdb           [2]*redis.Client    // of the two tables
	with, without *table.Table[record, int64]
	loaded        bool
}

// at returns the tables on a server that is set up so, a table with a feed and one without.
func (b *bench) at(ctx context.Context, s setting) (*home, error) {
	if h := b.homes[s]; h != nil {
		return h, nil
	}
	h := &home{b: b}
	if b.homes == nil {
		b.homes = make(map[setting]*home)
	}
	b.homes[s] = h
	addr, err := h.launch(ctx, s)
	if err != nil {
		return nil, err
	}
	h.rdb = [2]*redis.Client{b.client(addr), b.client(addr)}
	if h.with, err = table.Open(ctx, h.rdb[0], definition("with")); err != nil {
		return nil, err
	}
	h.without, err = table.Open(ctx, h.rdb[1], definition("without"), table.WithFeed(0))
	return h, err
}

func (h *home) launch(ctx context.Context, s setting) (addr string, err error) {
	if s == onOurs {
		return h.b.server.Addr(), nil
	}
	var args []string
	if s == appendOnly { // a rewrite would come to one side and not to the other
		args = []string{"--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"}
	}
	first, err := h.start(args...)
	if err != nil || s == appendOnly {
		return addressOf(first), err
	}
	host, port, err := net.SplitHostPort(first.Addr())
	if err != nil {
		return "", err
	}
	if _, err = h.start("--replicaof", host, port); err != nil {
		return "", err
	}
	return first.Addr(), h.attached(ctx, first.Addr())
}

func addressOf(s *redistest.Server) string {
	if s == nil {
		return ""
	}
	return s.Addr()
}

func (h *home) start(args ...string) (*redistest.Server, error) {
	s, err := redistest.Launch(redistest.Options{Args: args})
	if err == nil {
		h.servers = append(h.servers, s)
	}
	return s, err
}

// attached returns when a replica follows the server.
func (h *home) attached(ctx context.Context, addr string) error {
	rdb := h.b.client(addr)
	defer rdb.Close()
	for {
		info, err := rdb.Info(ctx, "replication").Result()
		if err != nil || strings.Contains(info, "state=online") {
			return err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

func (h *home) close() (err error) {
	for _, t := range []*table.Table[record, int64]{h.with, h.without} {
		if t != nil {
			err = errors.Join(err, t.Close())
		}
	}
	for _, rdb := range h.rdb {
		if rdb != nil {
			err = errors.Join(err, rdb.Close())
		}
	}
	for _, s := range h.servers {
		s.Stop()
	}
	return err
}

// load puts all records into both tables, unless they are there.
func (h *home) load(ctx context.Context) error {
	if h.loaded {
		return nil
	}
	h.loaded = true
	return errors.Join(inBatches(ctx, h.b.records, h.with.Put), inBatches(ctx, h.b.records, h.without.Put))
}

// feedBulkPut fills empty tables.
func feedBulkPut(s setting) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		h, err := b.at(ctx, s)
		if err != nil {
			return contest{}, err
		}
		into := func(t *table.Table[record, int64]) side {
			return func(ctx context.Context) (float64, error) {
				if err := errors.Join(t.Clear(ctx), settled(ctx, h.rdb[0])); err != nil {
					return 0, err
				}
				return pace(ctx, len(b.records), func(ctx context.Context) error { return inBatches(ctx, b.records, t.Put) })
			}
		}
		return contest{into(h.with), into(h.without)}, nil
	}
}

// feedPut stores records that are there already again, one by one.
func feedPut(s setting, goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		h, err := b.at(ctx, s)
		if err == nil {
			err = h.load(ctx)
		}
		if err != nil {
			return contest{}, err
		}
		into := func(t *table.Table[record, int64]) side {
			return rate(goroutines, b.time, func(ctx context.Context, random *rand.Rand) error { return t.Put(ctx, *b.any(random)) })
		}
		return contest{into(h.with), into(h.without)}, nil
	}
}
