package table_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// secretVerbs are calls with secret keys and rows.
func secretVerbs(g *gossip, rdb redis.UniversalClient, tbl *table.Table[note, string]) map[string]func(context.Context) error {
	secret := note{Key: canary, Text: canary}
	return map[string]func(context.Context) error{
		"put":  func(ctx context.Context) error { return tbl.Put(ctx, secret) },
		"get":  func(ctx context.Context) error { _, err := tbl.Get(ctx, canary); return err },
		"keys": func(ctx context.Context) error { _, err := tbl.DeleteKeys(ctx, canary); return err },
		"apply": func(ctx context.Context) error {
			return tbl.Apply(ctx, table.Batch[note, string]{Put: []note{secret}, Delete: []string{canary + "2"}, Note: []byte(canary)})
		},
		"update": func(ctx context.Context) error {
			return tbl.Update(ctx, canary, func(n *note) error { n.Text = canary; return nil })
		},
		"note":  func(ctx context.Context) error { _, err := tbl.Note(ctx); return err },
		"sweep": func(ctx context.Context) error { _, err := tbl.Delete(ctx, tbl.Range("length", 0, 15)); return err },
		"read":  func(ctx context.Context) error { return lastError(tbl.Records(ctx, tbl.All("length"))) },
		"stats": func(ctx context.Context) error { _, err := tbl.Stats(ctx); return err },
		"stage": func(ctx context.Context) error { return tbl.ScratchPut(ctx, secret) },
		"merge": tbl.ScratchMerge,
		"clear": tbl.Clear,
		"open": func(ctx context.Context) error {
			tbl, err := table.Open(ctx, rdb, noteDefinition(redistest.Prefix(g)), table.WithLogger(g.logger))
			if err == nil {
				err = tbl.Close()
			}
			return err
		},
		"drop": func(ctx context.Context) error { return table.Drop(ctx, rdb, redistest.Prefix(g)) },
	}
}

// Servers and proxies that refuse a command may repeat its arguments: keys, rows, and the password where AUTH is refused.
func TestSecretsStayOutOfEchoedArguments(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	ok(t, s.Client(t).Do(t.Context(), "ACL", "SETUSER", "default", "resetpass", ">"+canary).Err())
	for words, line := range map[string]string{
		"of Redis":   "-ERR unknown command 'X', with args beginning with: " + itsArguments,
		"of old":     "-ERR unknown command `X`, With args beginning with: " + itsArguments,
		"of a proxy": "-ERR X is not supported: " + itsArguments,
	} {
		for _, command := range []string{"evalsha", "hmget", "hset", "zrange", "eval", "auth"} {
			if command == "auth" && words == "of a proxy" {
				continue // what it repeats is go-redis's to say
			}
			t.Run(command+", in words "+words, func(t *testing.T) {
				t.Parallel()
				p, n := newProxy(t, s), newNetwork()
				rdb := closing(t, redis.NewClient(&redis.Options{Addr: p.addr, Password: canary, Dialer: n.Dial}))
				hearOf(newGossip(t), rdb, func() {
					p.decide(func(seen []string) string {
						if last := seen[len(seen)-1]; last == command || command == "auth" && last == "hello" {
							return line
						}
						return ""
					})
					if command == "auth" {
						n.cut()
					}
				})
			})
		}
	}
}

// hearOf hears what all verbs say of a table after something was done to its way to Redis, a long read half way among them.
func hearOf(g *gossip, rdb *redis.Client, spoil func()) {
	t := g.T
	tbl := g.open(rdb, redistest.Prefix(t), table.WithPageBytes(500))
	for i := range 100 {
		ok(t, tbl.Put(t.Context(), note{Key: fmt.Sprint(canary, i), Text: canary + strings.Repeat("x", i)}))
	}
	next, stop := iter.Pull2(tbl.Records(t.Context(), tbl.All("length")))
	defer stop()
	_, err, more := next()
	spoil()
	for what, call := range secretVerbs(g, rdb, tbl) {
		if err := within(t, 300*time.Millisecond, call); err != nil {
			g.hear(what, err)
			saysOnce(t, what, "", err)
		}
	}
	for more {
		if err != nil {
			g.hear("a long read", err)
		}
		_, err, more = next()
	}
	g.search(0)
}
