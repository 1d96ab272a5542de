package table_test

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/auth"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

var inTransaction = regexp.MustCompile(`id=(\d+) .* multi=\d+ `)

// writersOwn returns the server's number of the writer's connection: the one that is in a transaction. Empty: there is none.
func writersOwn(t testing.TB, admin *redis.Client) string {
	t.Helper()
	list, err := admin.ClientList(t.Context()).Result()
	ok(t, err)
	if found := inTransaction.FindStringSubmatch(list); found != nil {
		return found[1]
	}
	return ""
}

// pass lets time pass for connections, whose ages only a real clock tells.
func pass(t testing.TB, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// In a network that forgets idle connections without a word, the first write after an idle time is as quick as any, where the
// client is told of that.
func TestP6_AnIdleConnectionIsNotUsed(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for name, m := range mutations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork()
			rdb := s.TCPClient(t, func(o *redis.Options) {
				o.ConnMaxIdleTime, o.ReadTimeout = 200*time.Millisecond, 10*time.Second
				n.options(o)
			})
			tbl := openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
			for range 3 {
				put(t, tbl, numbered(0, 10)...)
			}
			if m.staged {
				stageSome(t, tbl)
			}
			n.swallow()
			pass(t, 400*time.Millisecond)
			begin := time.Now()
			ok(t, m.do(t.Context(), tbl))
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			ok(t, tbl.ScratchAbort(t.Context()))
		})
	}
}

// The writer's connection lasts no longer than any.
func TestP6_TheWritersConnectionGrowsNoOlderThanAny(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	const lifetime = 300 * time.Millisecond
	rdb := s.TCPClient(t, func(o *redis.Options) {
		o.ConnMaxLifetime, o.ConnMaxLifetimeJitter = lifetime, lifetime/10
	})
	tbl, admin := openOn(t, rdb, "t"), s.Client(t)
	first := make(map[string]time.Time)
	for begin := time.Now(); time.Since(begin) < 5*lifetime; {
		begun := time.Now() // how long this process is kept waiting meanwhile says nothing about the connection
		put(t, tbl, numbered(0, 3)...)
		own := writersOwn(t, admin)
		if own == "" {
			continue
		}
		if _, known := first[own]; !known {
			first[own] = time.Now()
		}
		if age := begun.Sub(first[own]); age > lifetime+lifetime/2 {
			t.Fatalf("a connection was in use for %v, want %v at most", age, lifetime)
		}
	}
	if n := len(first); n < 4 || n > 20 {
		t.Errorf("%d connections, want about 5", n)
	}
}

// user is a user of a server, whose name and password change.
type user struct {
	auth.Credentials
	mu         sync.Mutex // guards all
	listeners  map[auth.CredentialsListener]bool
	subscribed atomic.Int64
}

func newUser(name, password string) *user {
	return &user{Credentials: auth.NewBasicCredentials(name, password), listeners: make(map[auth.CredentialsListener]bool)}
}

// Subscribe makes it a provider of streamed credentials.
func (u *user) Subscribe(l auth.CredentialsListener) (auth.Credentials, auth.UnsubscribeFunc, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.subscribed.Add(1)
	u.listeners[l] = true
	return u.Credentials, func() error {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.listeners, l)
		return nil
	}, nil
}

func (u *user) get() (name, password string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.BasicAuth()
}

// become changes the credentials and tells all who listen.
func (u *user) become(name, password string) {
	u.mu.Lock()
	u.Credentials = auth.NewBasicCredentials(name, password)
	next := u.Credentials
	listeners := make([]auth.CredentialsListener, 0, len(u.listeners))
	for l := range u.listeners {
		listeners = append(listeners, l)
	}
	u.mu.Unlock()
	for _, l := range listeners {
		l.OnNext(next)
	}
}

func (u *user) listening() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.listeners)
}

// addUser adds a user who may do all.
func addUser(t testing.TB, admin *redis.Client, name, password string) {
	t.Helper()
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", name, "reset", "on", ">"+password, "~*", "&*", "+@all").Err())
}

// A provider that streams credentials: everything is written, and the writer's connection is made anew with new ones.
func TestP6_StreamedCredentialsAreRenewed(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	admin := s.Client(t)
	addUser(t, admin, "a", "one")
	u := newUser("a", "one")
	rdb := s.TCPClient(t, func(o *redis.Options) { o.StreamingCredentialsProvider = u })
	tbl, err := table.Open(t.Context(), rdb, itemDefinition("t"))
	ok(t, err)
	for i := range 5 {
		name := fmt.Sprint("b", i)
		addUser(t, admin, name, "two")
		put(t, tbl, numbered(i, i+5)...)
		put(t, tbl, numbered(i, i+5)...)
		before := writersOwn(t, admin)
		put(t, tbl, numbered(i, i+5)...)
		if now := writersOwn(t, admin); before == "" || now != before {
			t.Errorf("the writer's connection was %s and is %s, want the same", before, now)
		}
		u.become(name, "two")
		put(t, tbl, numbered(i, i+5)...)
		put(t, tbl, numbered(i, i+5)...)
		if now := writersOwn(t, admin); now == before || now == "" {
			t.Errorf("the writer's connection is %s still, with old credentials", now)
		}
	}
	n, err := tbl.Count(t.Context(), tbl.All("at"))
	ok(t, err)
	if n != 9 {
		t.Errorf("%d records, want 9", n)
	}
	ok(t, tbl.Close())
	ok(t, rdb.Close())
	until(t, "nobody to listen", func() bool { return u.listening() == 0 })
}

// A user that is gone, its connections with it: writes go on as the one that the provider names now.
func TestP6_WritesGoOnAfterTheirUserIsGone(t *testing.T) {
	t.Parallel()
	for kind, use := range map[string]func(*redis.Options, *user){
		"a provider": func(o *redis.Options, u *user) { o.CredentialsProvider = u.get },
		"a provider with context": func(o *redis.Options, u *user) {
			o.CredentialsProviderContext = func(context.Context) (string, string, error) {
				name, password := u.get()
				return name, password, nil
			}
		},
		"a stream": func(o *redis.Options, u *user) { o.StreamingCredentialsProvider = u },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{})
			admin := s.Client(t)
			addUser(t, admin, "a", "one")
			addUser(t, admin, "b", "two")
			u := newUser("a", "one")
			rdb := s.TCPClient(t, func(o *redis.Options) { use(o, u) })
			tbl := openAs(t, rdb, admin, itemDefinition("t"), []string{"at", "rank"})
			for range 3 {
				put(t, tbl, numbered(0, 5)...)
			}
			u.become("b", "two")
			ok(t, admin.Do(t.Context(), "ACL", "DELUSER", "a").Err())
			for range 3 {
				put(t, tbl, numbered(0, 5)...)
			}
		})
	}
}

// Whatever refusal meets the writer's connection alone, it is replaced and no write fails.
func TestP6_ARefusedConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for what, line := range map[string]string{
		"no auth": "-NOAUTH Authentication required.", "wrong password": "-WRONGPASS invalid username-password pair or user is disabled.",
		"no permission": "-NOPERM this user has no permissions to run the 'hset' command", "cut": cutIt,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, s)
			tbl, logs := openBehind(t, p, s)
			for range 3 {
				put(t, tbl, numbered(0, 5)...)
			}
			var over atomic.Bool // the old connection is refused everything, a new one nothing
			p.decide(func(seen []string) string {
				execs := 0
				for _, name := range seen {
					if name == "exec" {
						execs++
					}
				}
				if execs > 2 && !over.Load() {
					return line
				}
				return ""
			})
			put(t, tbl, numbered(5, 10)...)
			over.Store(true)
			put(t, tbl, numbered(10, 15)...)
			if logs.FilterMessageSnippet("transactions cannot be had").Len() != 0 {
				t.Errorf("the log says %v", logs.All())
			}
		})
	}
}
