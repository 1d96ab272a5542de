package table_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// aclRule returns the parts of the rule in the README for a table of this name, behind the user's.
func aclRule(t testing.TB, name string) []string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	ok(t, err)
	_, rule, found := strings.Cut(string(readme), "ACL SETUSER flights ")
	rule, _, closed := strings.Cut(rule, "```")
	if !found || !closed {
		t.Fatal("the README has no rule that begins with ACL SETUSER flights")
	}
	return strings.Fields(strings.ReplaceAll(rule, "~flights:", "~"+name+":"))
}

// ruleOn returns the rule for a server: with what the README adds to it where clients announce themselves.
func ruleOn(t testing.TB, s *redistest.Server, name string) []string {
	t.Helper()
	rule := aclRule(t, name)
	if known(t, s, "client|setinfo") {
		rule = append(rule, announcing(t))
	}
	return rule
}

// announcing returns what the README adds for servers to which clients tell their name and version.
func announcing(t testing.TB) string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	ok(t, err)
	const added = "+client|setinfo"
	if !strings.Contains(string(readme), "`ACL SETUSER flights "+added+"`") {
		t.Fatalf("the README does not add %s", added)
	}
	return added
}

// known tells whether the server has a command.
func known(t testing.TB, s *redistest.Server, command string) bool {
	t.Helper()
	info, err := s.Client(t).Do(t.Context(), "COMMAND", "INFO", command).Slice()
	ok(t, err)
	return info[0] != nil
}

// limited returns a client of a user that may do no more than a rule says.
func limited(t testing.TB, s *redistest.Server, user string, rule []string) *redis.Client {
	t.Helper()
	args := []any{"ACL", "SETUSER", user}
	for _, part := range rule {
		args = append(args, part)
	}
	admin := s.Client(t)
	ok(t, admin.Do(t.Context(), args...).Err())
	t.Cleanup(func() { admin.ACLDelUser(context.Background(), user) })
	o := *admin.Options()
	o.Username, o.Password = user, "PASSWORD"
	rdb := redis.NewClient(&o)
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

// everyVerb makes every call that a table has, in every state of its lock, with reads and folds of several pages, and returns
// the first error.
func everyVerb(ctx context.Context, rdb redis.UniversalClient, name string) error {
	d := &drill{ctx: ctx, rdb: rdb, name: name}
	d.open()
	d.reads()
	d.deletes()
	d.scratch()
	d.merge()
	d.reload()
	d.again()
	d.close()
	return d.err
}

// drill makes calls until one fails.
type drill struct {
	ctx  context.Context
	rdb  redis.UniversalClient
	name string
	tbl  *items
	err  error
}

func (d *drill) try(what string, call func() error) {
	if d.err != nil {
		return
	}
	if err := call(); err != nil {
		d.err = fmt.Errorf("%s: %w", what, err)
	}
}

func (d *drill) count(what string, want int, call func() (int, error)) {
	d.try(what, func() error {
		n, err := call()
		if err == nil && n != want {
			err = fmt.Errorf("got %d, want %d", n, want)
		}
		return err
	})
}

func (d *drill) open(opts ...table.Option) {
	d.try("open", func() (err error) {
		d.tbl, err = table.Open(d.ctx, d.rdb, itemDefinition(d.name), append(opts, table.WithPageBytes(2000))...)
		return err
	})
}

func (d *drill) close() {
	if d.tbl != nil {
		_ = d.tbl.Close()
	}
}

func (d *drill) reads() {
	d.try("put", func() error { return d.tbl.Put(d.ctx, numbered(0, 100)...) })
	d.try("put again", func() error { return d.tbl.Put(d.ctx, numbered(0, 10)...) })
	d.count("count", 100, func() (int, error) { return d.tbl.Count(d.ctx, d.tbl.All("at")) })
	d.count("records", 100, func() (int, error) { return drained(d.tbl.Records(d.ctx, d.tbl.All("at"))) })
	d.count("records, reversed", 100, func() (int, error) {
		return drained(d.tbl.Records(d.ctx, d.tbl.All("rank").Reversed()))
	})
	d.try("get", func() error { _, err := d.tbl.Get(d.ctx, 7); return err })
	d.try("first", func() error { _, err := d.tbl.First(d.ctx, d.tbl.All("at").Reversed()); return err })
	d.count("page", 60, func() (int, error) {
		page, _, err := d.tbl.Page(d.ctx, d.tbl.All("at"), "", 60)
		return len(page), err
	})
	d.count("stream", 10, func() (int, error) {
		st := d.tbl.Stream(d.ctx, d.tbl.Range("at", 0, 100))
		n := 0
		for range st.C() {
			n++
		}
		return n, st.Err()
	})
	d.try("stats", func() error { _, err := d.tbl.Stats(d.ctx); return err })
}

// everyNth holds for each n-th record that it is asked about.
func everyNth(n int) func(*item) bool {
	i := 0
	return func(*item) bool { i++; return i%n == 0 }
}

func (d *drill) deletes() {
	d.count("delete keys", 1, func() (int, error) { return d.tbl.DeleteKeys(d.ctx, 99, 1234) })
	d.try("apply", func() error {
		return d.tbl.Apply(d.ctx, batch{Put: numbered(98, 100), Delete: []int64{300}, Note: []byte("n")})
	})
	d.try("apply again", func() error { return d.tbl.Apply(d.ctx, batch{Put: numbered(98, 99), Delete: []int64{99, 300}}) })
	d.try("update", func() error { return d.tbl.Update(d.ctx, 98, renamed("u")) })
	d.try("update again", func() error { return d.tbl.Update(d.ctx, 98, renamed("v")) })
	d.try("note", func() error { _, err := d.tbl.Note(d.ctx); return err })
	d.count("delete", 9, func() (int, error) { return d.tbl.Delete(d.ctx, d.tbl.Range("at", 900, 1000)) })
	d.count("delete by pages", 30, func() (int, error) {
		return d.tbl.Delete(d.ctx, d.tbl.Range("at", 300, 900).Where(everyNth(2)))
	})
	d.try("verify", func() error {
		r, err := d.tbl.Verify(d.ctx)
		if err == nil && (!r.OK() || r.Rows != 60) {
			err = fmt.Errorf("found %+v", r)
		}
		return err
	})
	d.try("repair", func() error { _, err := d.tbl.Repair(d.ctx); return err })
}

func (d *drill) scratch() {
	d.try("stage", func() error { return d.tbl.ScratchPut(d.ctx, numbered(200, 230)...) })
	d.try("stage again", func() error { return d.tbl.ScratchPut(d.ctx, numbered(200, 210)...) })
	d.count("discard", 3, func() (int, error) { return d.tbl.ScratchDiscard(d.ctx, d.tbl.Range("at", 2000, 2030)) })
	d.try("abort", func() error { return d.tbl.ScratchAbort(d.ctx) })
}

func (d *drill) merge() {
	d.try("stage", func() error { return d.tbl.ScratchPut(d.ctx, numbered(200, 230)...) })
	d.count("discard by pages", 15, func() (int, error) {
		return d.tbl.ScratchDiscard(d.ctx, d.tbl.Range("rank", 0, 3).Where(everyNth(6)))
	})
	d.try("merge", func() error { return d.tbl.ScratchMerge(d.ctx) })
	d.count("records while merging", 75, func() (int, error) { return drained(d.tbl.Records(d.ctx, d.tbl.All("rank"))) })
	d.try("fold", func() error { return foldOrFail(d.ctx, d.tbl) })
}

// reload loads everything anew.
func (d *drill) reload() {
	d.count("discard all", 75, func() (int, error) { return d.tbl.ScratchDiscard(d.ctx, d.tbl.All("at")) })
	d.try("stage for a reload", func() error { return d.tbl.ScratchPut(d.ctx, numbered(0, 80)...) })
	d.count("discard for a reload", 5, func() (int, error) { return d.tbl.ScratchDiscard(d.ctx, d.tbl.Range("at", 100, 150)) })
	d.try("merge of a reload", func() error { return d.tbl.ScratchMerge(d.ctx) })
	d.count("records while merging a reload", 75, func() (int, error) { return drained(d.tbl.Records(d.ctx, d.tbl.All("rank"))) })
	d.try("fold of a reload", func() error { return foldOrFail(d.ctx, d.tbl) })
}

// foldOrFail waits until a fold is done, or has failed once: it would be tried again for ever.
func foldOrFail(ctx context.Context, tbl *items) error {
	for {
		st, err := tbl.Stats(ctx)
		if err = errors.Join(err, st.FoldError); err != nil || st.State == table.StateClear {
			return err
		}
		runtime.Gosched()
	}
}

// again opens a table of which something is staged, and drops all of it in two ways.
func (d *drill) again() {
	d.try("stage", func() error { return d.tbl.ScratchPut(d.ctx, numbered(0, 3)...) })
	d.close()
	d.open()
	d.count("count of what was opened again", 75, func() (int, error) { return d.tbl.Count(d.ctx, d.tbl.All("at")) })
	d.try("clear", func() error { return d.tbl.Clear(d.ctx) })
	d.close()
	d.open(table.WithReset())
	d.close()
	d.try("drop", func() error { return table.Drop(d.ctx, d.rdb, d.name) })
	d.open()
}

func drained[R any](seq func(func(R, error) bool)) (n int, err error) {
	for _, e := range seq {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}

func TestTheACLRuleIsEnough(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	name := redistest.Prefix(t)
	rdb := limited(t, s, name, ruleOn(t, s, name))
	ok(t, everyVerb(t.Context(), rdb, name))
	if refused := refusals(t, s, name); len(refused) > 0 {
		t.Errorf("refused, if only in passing: %v", refused)
	}
}

// refusals returns what a user was refused.
func refusals(t testing.TB, s *redistest.Server, user string) (objects []string) {
	t.Helper()
	log, err := s.Client(t).ACLLog(t.Context(), 1000).Result()
	ok(t, err)
	for _, entry := range log {
		if entry.Username == user {
			objects = append(objects, entry.Object)
		}
	}
	return objects
}

// optional are the commands without which a table goes other ways.
var optional = []string{"multi", "exec", "watch", "eval", "xrevrange", "info|memory", "info|replication", "memory|usage",
	"client|setinfo"}

func TestTheACLRuleIsTight(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for _, part := range ruleOn(t, s, "") {
		if !strings.HasPrefix(part, "+") && !strings.HasPrefix(part, "~") {
			continue
		}
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			name := redistest.Prefix(t)
			whole := ruleOn(t, s, name)
			rule := slices.DeleteFunc(slices.Clone(whole), func(p string) bool { return strings.Replace(p, "~"+name, "~", 1) == part })
			if len(rule) != len(whole)-1 {
				t.Fatalf("%s was not taken out of %v", part, whole)
			}
			err := everyVerb(t.Context(), limited(t, s, name, rule), name)
			command := strings.TrimPrefix(part, "+")
			if slices.Contains(optional, command) {
				ok(t, err)
			} else if !wire.IsForbidden(err) {
				t.Errorf("got %v, want a refusal", err)
			}
			first, _, _ := strings.Cut(command, "|")
			if refused := refusals(t, s, name); len(refused) == 0 || part[0] == '+' && !strings.HasPrefix(refused[0], first) {
				t.Errorf("refused was %v, not %s", refused, part)
			}
		})
	}
}

func TestTheACLRuleRefusesEveryOtherCommand(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	name := redistest.Prefix(t)
	rule := ruleOn(t, s, name)
	rdb, admin := limited(t, s, name, rule), s.Client(t)
	limited(t, s, name+"-anywhere", append(slices.Clone(rule), "allkeys", "allchannels")) // refused is the command, no key
	always := []string{"auth", "hello", "quit", "reset"}                                  // by any user
	n := 0
	for _, call := range calls(t, admin, name+":r") {
		if slices.Contains(always, call[0].(string)) || permits(rule, call) {
			continue
		}
		n++
		said, err := admin.Do(t.Context(), append([]any{"ACL", "DRYRUN", name + "-anywhere"}, call...)...).Text()
		if said == "OK" || err != nil {
			t.Errorf("%v: %q, %v", call, said, err)
		}
		if err := rdb.Eval(t.Context(), "return redis.call(unpack(ARGV))", nil, call...).Err(); err == nil || err == redis.Nil {
			t.Errorf("%v is allowed from Lua", call)
		}
	}
	if n < 150 {
		t.Errorf("only %d commands were tried", n)
	}
}

// calls returns a call of each command, subcommands too, that the server knows, with as many arguments as it must have.
func calls(t testing.TB, rdb *redis.Client, argument string) (all [][]any) {
	t.Helper()
	names, err := rdb.Do(t.Context(), "COMMAND", "LIST").StringSlice()
	ok(t, err)
	for _, name := range names {
		if slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+"|") }) {
			continue // its subcommands are listed
		}
		info, err := rdb.Do(t.Context(), "COMMAND", "INFO", name).Slice()
		ok(t, err)
		var call []any
		for part := range strings.SplitSeq(name, "|") {
			call = append(call, part)
		}
		for arity := info[0].([]any)[1].(int64); len(call) < int(max(arity, -arity)); {
			call = append(call, argument)
		}
		all = append(all, call)
	}
	return all
}

// permits tells whether the rule has the command, or its subcommand, of a call.
func permits(rule []string, call []any) bool {
	command := "+" + call[0].(string)
	return slices.Contains(rule, command) || len(call) > 1 && slices.Contains(rule, command+"|"+call[1].(string))
}

func TestTheACLRuleRefusesOtherTablesKeys(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	name := redistest.Prefix(t)
	rdb := limited(t, s, name, ruleOn(t, s, name))
	for _, key := range []string{name, name + ":", name + ":z", name + ":i", name + ":x", name + ":rr", name + "2:r", "a" + name + ":r",
		name + ":a:r", name + ":a:i:at", "other:r"} {
		errs := []error{
			rdb.HSet(t.Context(), key, "f", "v").Err(),
			rdb.HGet(t.Context(), key, "f").Err(),
			rdb.Unlink(t.Context(), key).Err(),
			rdb.Eval(t.Context(), "return 1", []string{key}).Err(),
			rdb.Eval(t.Context(), "return redis.call('HLEN', ARGV[1])", nil, key).Err(),
			rdb.Eval(t.Context(), "return redis.call('HSET', ARGV[1], 'f', 'v')", []string{name + ":r"}, key).Err(),
		}
		for i, err := range errs {
			if !wire.IsForbidden(err) {
				t.Errorf("%s: try %d: got %v, want a refusal", strings.TrimPrefix(key, name), i, err)
			}
		}
	}
	_, err := table.Open(t.Context(), rdb, itemDefinition(name+"2"))
	if !wire.IsForbidden(err) {
		t.Errorf("opening another table: got %v, want a refusal", err)
	}
}

// Clients that are configured in some ways need more: what the README adds for them is enough, and is needed.
func TestTheACLRuleOfOtherClients(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		args  []string
		tag   string
		more  []string // the first of them is needed
		ready func(*testing.T, *redis.Client)
		as    func(*redis.Options) redis.UniversalClient
	}{
		"a name": {more: []string{"+client|setname"}, as: func(o *redis.Options) redis.UniversalClient {
			o.ClientName = "flights"
			return redis.NewClient(o)
		}},
		"a database": {more: []string{"+select"}, as: func(o *redis.Options) redis.UniversalClient {
			o.DB = 1
			return redis.NewClient(o)
		}},
		"a cluster": {args: []string{"--cluster-enabled", "yes"}, tag: "{a}", more: []string{"+cluster|slots", "+command"},
			ready: func(t *testing.T, admin *redis.Client) {
				ok(t, admin.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
				until(t, "the cluster", func() bool {
					return strings.Contains(admin.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
				})
			},
			as: func(o *redis.Options) redis.UniversalClient {
				return redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password})
			}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{Args: c.args})
			if c.ready != nil {
				c.ready(t, s.Client(t))
			}
			for whole, more := range map[bool][]string{false: c.more[1:], true: c.more} {
				user := fmt.Sprint("user-", whole)
				limited(t, s, user, append(ruleOn(t, s, "t"+c.tag), more...))
				rdb := c.as(&redis.Options{Addr: s.Addr(), Username: user, Password: "PASSWORD", MaxRetries: -1})
				err := everyVerb(t.Context(), rdb, "t"+c.tag)
				ok(t, rdb.Close())
				if whole != (err == nil) {
					t.Errorf("with %v: %v", more, err)
				}
				if refused := refusals(t, s, user); whole != (len(refused) == 0) {
					t.Errorf("with %v were refused %v", more, refused)
				}
			}
		})
	}
}
