package table_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// canary is part of every password, key and row of these tests. It must come out nowhere.
const canary = "canary-4be1"

// note is a record that is secret throughout.
type note struct{ Key, Text, Trick string }

// tricky is a codec whose errors, and whose panics, hold the value.
type tricky struct{}

func (tricky) Append(dst []byte, v string) ([]byte, error) {
	switch v {
	case "parse":
		_, err := strconv.Atoi(canary)
		return dst, err
	case "panic":
		panic(canary)
	case "panic error":
		panic(fmt.Errorf("%s", canary))
	}
	return append(dst, v...), nil
}

func (tricky) Decode(src []byte) (string, error) {
	if string(src) == "unreadable" {
		return "", fmt.Errorf("cannot read %s", canary)
	}
	return string(src), nil
}

func noteDefinition(name string) table.Definition[note, string] {
	return table.Definition[note, string]{
		Name:       name,
		PrimaryKey: table.Key(codec.String, func(n *note) string { return n.Key }),
		Attributes: []table.Attribute[note]{
			table.Field("text", codec.String, func(n *note) *string { return &n.Text }),
			table.Field("trick", tricky{}, func(n *note) *string { return &n.Trick }),
			table.Attr("number", codec.Int64,
				func(n *note) (int64, error) {
					if n.Trick == "get" {
						return strconv.ParseInt(n.Text, 10, 64)
					}
					return int64(len(n.Text)), nil
				},
				func(n *note, _ int64) error {
					if n.Trick == "set" {
						return errors.New(n.Text)
					}
					return nil
				}),
		},
		Indexes: []table.Index[note]{table.By("length", func(n *note) float64 {
			switch n.Trick {
			case "score":
				panic(n.Text)
			case "nan":
				return math.NaN()
			}
			return float64(len(n.Text))
		})},
	}
}

// gossip collects all that a program hears of its tables.
type gossip struct {
	*testing.T
	log    *observer.ObservedLogs
	logger *zap.Logger
	heard  []string
}

func newGossip(t *testing.T) *gossip {
	core, logs := observer.New(zapcore.DebugLevel)
	return &gossip{T: t, log: logs, logger: zap.New(core)}
}

// hear notes an error, of which there must be one, in all the ways in which it may be printed.
func (g *gossip) hear(what string, err error) {
	g.Helper()
	if err == nil {
		g.Errorf("%s: no error", what)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		g.heard = append(g.heard, fmt.Sprintf("%v|%+v|%#v|%q", e, e, e, e))
	}
}

// search fails if anything that was heard, or logged by us or by go-redis, holds a secret.
func (g *gossip) search(least int) {
	g.Helper()
	entries := g.log.All()
	for _, e := range entries {
		line, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(e.Entry, e.Context)
		ok(g, err)
		g.heard = append(g.heard, line.String())
	}
	for _, text := range append(g.heard, clientLog.String()) {
		if strings.Contains(text, canary) {
			g.Errorf("a secret is told: %s", text)
		}
	}
	if len(entries) < least {
		g.Errorf("%d lines were logged, want at least %d", len(entries), least)
	}
}

func (g *gossip) open(rdb redis.UniversalClient, name string, opts ...table.Option) *table.Table[note, string] {
	g.Helper()
	tbl, err := table.Open(g.Context(), rdb, noteDefinition(name), append(opts, table.WithLogger(g.logger))...)
	ok(g, err)
	g.Cleanup(func() { tbl.Close() })
	return tbl
}

func TestSecretsStayOutOfCodingErrors(t *testing.T) {
	t.Parallel()
	g, rdb, name := newGossip(t), redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := g.open(rdb, name)
	for _, trick := range []string{"parse", "panic", "panic error", "get", "score", "nan"} {
		g.hear(trick, tbl.Put(t.Context(), note{Key: canary, Text: canary, Trick: trick}))
		g.hear(trick, tbl.ScratchPut(t.Context(), note{Key: canary, Text: canary, Trick: trick}))
	}
	g.hear("no UTF-8", tbl.Put(t.Context(), note{Key: canary, Text: canary + "\xff"}))
	g.hear("key", tbl.Put(t.Context(), note{Key: canary + "\xff"}))
	_, err := tbl.Get(t.Context(), canary+"\xff")
	g.hear("get", err)
	_, err = tbl.Get(t.Context(), canary)
	g.hear("not found", err)

	for _, trick := range []string{"set", "unreadable", ""} {
		ok(t, tbl.Put(t.Context(), note{Key: canary + trick, Text: canary, Trick: trick}))
	}
	row := rdb.HGet(t.Context(), name+":r", canary).Val()
	ok(t, rdb.HSet(t.Context(), name+":r", canary, row[:len(row)-2]).Err())
	n := 0
	for _, err := range tbl.Records(t.Context(), tbl.All("length")) {
		g.hear("read", err)
		n++
	}
	if n != 3 {
		t.Errorf("%d rows were read", n)
	}
	st := tbl.Stream(t.Context(), tbl.All("length"))
	for range st.C() {
	}
	g.hear("stream", st.Err())
	ok(t, tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	g.hear("predicate", lastError(tbl.Records(t.Context(), tbl.All("length").Where(func(n *note) bool { panic(n.Text) }))))
	r, err := tbl.Verify(t.Context())
	ok(t, err)
	g.heard = append(g.heard, fmt.Sprintf("%+v", r))
	g.search(0)
}

func TestSecretsStayOutOfServerErrors(t *testing.T) {
	t.Parallel()
	g, s := newGossip(t), redistest.Start(t, redistest.Options{})
	name, admin := redistest.Prefix(t), s.Client(t)
	rule := strings.Fields(strings.ReplaceAll(strings.Join(aclRule(t, name), " "), ">PASSWORD", ">"+canary))
	ok(t, admin.Do(t.Context(), append([]any{"ACL", "SETUSER", name}, anys(rule)...)...).Err())
	as := func(password string) *redis.Client {
		return s.TCPClient(t, func(o *redis.Options) { o.Username, o.Password = name, password })
	}
	_, err := table.Open(t.Context(), as(canary+"!"), noteDefinition(name), table.WithLogger(g.logger))
	g.hear("wrong password", err)

	pool := cleanup.NewPool(1, cleanup.WithLogger(g.logger))
	t.Cleanup(func() { ok(t, pool.Close(context.Background())) })
	tbl := g.open(as(canary), name, table.WithCleanup(pool))
	ok(t, tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", name, "-hset").Err())
	g.hear("no permission to write", tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", name, "+hset", "-hmget").Err())
	_, err = tbl.Get(t.Context(), canary)
	g.hear("no permission to read", err)
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", name, "+hmget").Err())

	ok(t, tbl.ScratchPut(t.Context(), note{Key: canary + "2", Text: canary}))
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", name, "-hdel").Err())
	ok(t, tbl.ScratchMerge(t.Context()))
	until(t, "the fold to fail", func() bool { st, _ := tbl.Stats(t.Context()); return st.FoldFailures > 0 })
	st, err := tbl.Stats(t.Context())
	ok(t, err)
	g.hear("fold", st.FoldError)
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", name, "+hdel").Err())
	ok(t, tbl.WaitClear(t.Context()))

	ok(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
	g.hear("out of memory", tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	ok(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
	ok(t, admin.Set(t.Context(), name+":r", canary, 0).Err())
	g.hear("foreign key", tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	_, err = tbl.Get(t.Context(), canary)
	g.hear("foreign key", err)
	ok(t, admin.FlushAll(t.Context()).Err())
	g.hear("lost", tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	s.Kill(t)
	_, err = tbl.Get(t.Context(), canary)
	g.hear("killed", err)
	g.search(1)
}

func TestSecretsStayOutOfConnectionErrors(t *testing.T) {
	t.Parallel()
	g, s := newGossip(t), redistest.Shared(t)
	var left atomic.Int64
	left.Store(math.MaxInt64)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.Dialer, o.MaxRetries = dyingDialer(s.Addr(), &left), -1 })
	tbl := g.open(rdb, redistest.Prefix(t))
	ok(t, tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	for _, bytes := range []int64{0, 10, 100, 400} {
		left.Store(bytes)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		g.hear("put", tbl.Put(ctx, note{Key: canary, Text: strings.Repeat(canary, 100)}))
		cancel()
		_, err := tbl.Get(t.Context(), canary)
		g.hear("get", err)
		left.Store(math.MaxInt64)
		ok(t, tbl.Put(t.Context(), note{Key: canary, Text: canary}))
	}
	g.search(1)
}

func anys[T any](list []T) (all []any) {
	for _, v := range list {
		all = append(all, v)
	}
	return all
}

// Errors tell nothing of a record but a hash of its key.
func TestU31_ErrorsHoldNoRecord(t *testing.T) {
	t.Parallel()
	const canary = "canary-7c1f"
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, item{ID: 1, Name: canary})
	row := rdb.HGet(t.Context(), name+":r", rawKey(1)).Val()
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(1), row[:len(row)-1]).Err())
	for what, err := range map[string]error{
		"put":  tbl.Put(t.Context(), item{ID: 2, Name: canary + "\xff"}),
		"nan":  tbl.Put(t.Context(), item{ID: 2, Name: canary, At: nan}),
		"get":  readVerbs["Get"](t.Context(), tbl),
		"read": readVerbs["Records"](t.Context(), tbl),
	} {
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
