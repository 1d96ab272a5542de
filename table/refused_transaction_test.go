package table_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// openBehind opens a table behind a proxy, and returns what it logs.
func openBehind(t *testing.T, p *proxy, s *redistest.Server) (*items, *observer.ObservedLogs) {
	t.Helper()
	rdb := closing(t, redis.NewClient(&redis.Options{Addr: p.addr}))
	core, logs := observer.New(zap.WarnLevel)
	return openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"}, table.WithLogger(zap.New(core))), logs
}

// writeOften puts, deletes and stages, so that each way of storing is met several times, and checks what is there.
func writeOften(t *testing.T, tbl *items) {
	t.Helper()
	for i := range 10 {
		put(t, tbl, numbered(i, i+10)...)
		put(t, tbl, numbered(i, i+5)...)
		_, err := tbl.DeleteKeys(t.Context(), int64(i))
		ok(t, err)
		_, err = tbl.Delete(t.Context(), tbl.Range("rank", 7, 8).Where(func(*item) bool { return true }))
		ok(t, err)
	}
	ok(t, tbl.ScratchPut(t.Context(), numbered(30, 32)...))
	mergeAndFold(t, tbl)
	put(t, tbl, numbered(32, 33)...)
	wantIDs(t, tbl, tbl.All("at"), 10, 11, 12, 13, 14, 15, 16, 17, 18, 30, 31, 32)
}

// Where a command of transactions is not to be had, in whatever words, that is found once and said once: effects go by scripts,
// and no connections are wasted.
func TestP8_ATransactionThatCannotBeHadIsTriedOnce(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	words := map[string]string{
		"unknown":     "-ERR unknown command 'X', with args beginning with: ",
		"unsupported": "-ERR X is not supported by this proxy",
		"other words": "-nope we do not do that here",
		"forbidden":   "-NOPERM this user has no permissions to run the 'x' command",
		"disabled":    "-ERR command not allowed",
	}
	for _, command := range []string{"watch", "multi", "exec", "eval"} {
		for kind, line := range words {
			t.Run(command+", "+kind, func(t *testing.T) {
				t.Parallel()
				p := newProxy(t, s)
				p.decide(func(seen []string) string {
					if seen[len(seen)-1] == command {
						return line
					}
					return ""
				})
				tbl, logs := openBehind(t, p, s)
				put(t, tbl, numbered(0, 3)...)
				_, err := tbl.DeleteKeys(t.Context(), 0, 1, 2)
				ok(t, err)
				before := p.conns.Load()
				writeOften(t, tbl)
				if n := p.conns.Load() - before; n > 4 { // of reads that meet, and of the fold
					t.Errorf("%d connections were made", n)
				}
				if n := logs.FilterMessageSnippet("transactions cannot be had").Len(); n != 1 || logs.Len() != 1 {
					t.Errorf("it was said %d times; the log says %v", n, logs.All())
				}
			})
		}
	}
}

// DISCARD is not used.
func TestP8_NothingIsLostWithoutDiscard(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--rename-command", "DISCARD", ""}})
	tbl := openOn(t, s.Client(t), "t")
	put(t, tbl, numbered(0, 3)...)
	took(t, s.Client(t))
	writeOften(t, tbl)
	if took := took(t, s.Client(t)); took.transaction < 10 {
		t.Errorf("took %+v, want transactions", took)
	}
}

// A server that has renamed a command is like a proxy without it.
func TestP8_RenamedCommands(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"WATCH", "MULTI", "EXEC", "EVAL"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{Args: []string{"--rename-command", command, ""}})
			core, logs := observer.New(zap.WarnLevel)
			tbl, err := table.Open(t.Context(), s.Client(t), itemDefinition("t"), table.WithLogger(zap.New(core)))
			ok(t, err)
			defer tbl.Close()
			writeOften(t, tbl)
			if n := logs.FilterMessageSnippet("transactions cannot be had").Len(); n != 1 {
				t.Errorf("it was said %d times; the log says %v", n, logs.All())
			}
		})
	}
}

// One that cuts the connection instead of answering is tried less and less often.
func TestP8_AProxyThatCutsIsTriedLessAndLess(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for _, command := range []string{"watch", "multi", "exec"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, s)
			p.decide(func(seen []string) string {
				if seen[len(seen)-1] == command {
					return cutIt
				}
				return ""
			})
			tbl, _ := openBehind(t, p, s)
			before := p.conns.Load()
			for i := range 200 {
				put(t, tbl, numbered(i, i+1)...)
			}
			if n := p.conns.Load() - before; n > 12 {
				t.Errorf("%d connections were made for 200 puts", n)
			}
		})
	}
}

// What is refused for the moment, or on an old connection alone, ends no transactions for ever.
func TestP8_APassingRefusalEndsNoTransactions(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for what, line := range map[string]string{
		"loading": "-LOADING Redis is loading the dataset in memory", "no auth": "-NOAUTH Authentication required.",
		"read only": "-READONLY You can't write against a read only replica.",
	} {
		for _, command := range []string{"watch", "multi", "exec"} {
			t.Run(command+", "+what, func(t *testing.T) {
				t.Parallel()
				p := newProxy(t, s)
				refuse := func(seen []string) string {
					if seen[len(seen)-1] == command {
						return line
					}
					return ""
				}
				tbl, logs := openBehind(t, p, s)
				put(t, tbl, numbered(0, 3)...)
				p.decide(refuse)
				for i := range 3 {
					put(t, tbl, numbered(i, i+3)...)
				}
				p.decide(func([]string) string { return "" })
				for range 5 {
					put(t, tbl, numbered(0, 3)...)
				}
				if n := logs.FilterMessageSnippet("transactions cannot be had").Len(); n != 0 {
					t.Errorf("the log says %v", logs.All())
				}
				var ran atomic.Bool
				p.decide(func(seen []string) string {
					if seen[len(seen)-1] == "eval" && slices.Contains(seen, "multi") {
						ran.Store(true)
					}
					return ""
				})
				until(t, "a transaction", func() bool {
					put(t, tbl, numbered(0, 3)...)
					return ran.Load()
				})
			})
		}
	}
}
