package table_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

type itemReader = table.Reader[item, int64]

// readerRule returns the parts of the README's rule for readers.
func readerRule(t testing.TB, s *redistest.Server, name string) []string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	ok(t, err)
	_, rule, found := strings.Cut(string(readme), "ACL SETUSER flights-reader ")
	rule, _, closed := strings.Cut(rule, "```")
	if !found || !closed {
		t.Fatal("the README has no rule that begins with ACL SETUSER flights-reader")
	}
	parts := strings.Fields(strings.ReplaceAll(rule, "~flights:", "~"+name+":"))
	if known(t, s, "client|setinfo") {
		parts = append(parts, announcing(t))
	}
	return parts
}

// readerOf opens a reader of a table on the shared server, as a user that may do no more than the README says.
func readerOf(t testing.TB, name string, opts ...table.Option) *itemReader {
	t.Helper()
	s := redistest.Shared(t)
	return openReader(t, limited(t, s, redistest.Prefix(t), readerRule(t, s, name)), name, opts...)
}

func openReader(t testing.TB, rdb redis.UniversalClient, name string, opts ...table.Option) *itemReader {
	t.Helper()
	r, err := table.OpenReader(t.Context(), rdb, itemDefinition(name), opts...)
	ok(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

// readerVerbs are all that may be asked of a reader of a table that has an item 3.
var readerVerbs = map[string]func(context.Context, *itemReader) error{
	"Get":   func(ctx context.Context, r *itemReader) error { _, err := r.Get(ctx, 3); return err },
	"First": func(ctx context.Context, r *itemReader) error { _, err := r.First(ctx, r.All("at")); return err },
	"Lookup": func(ctx context.Context, r *itemReader) error {
		_, err := table.Collect(r.Lookup(ctx, 3, 4, 1000))
		return err
	},
	"Records": func(ctx context.Context, r *itemReader) error {
		_, err := table.Collect(r.Records(ctx, r.All("at")))
		return err
	},
	"Records, reversed": func(ctx context.Context, r *itemReader) error {
		_, err := table.Collect(r.Records(ctx, r.Range("rank", 0, 2).Reversed()))
		return err
	},
	"Count": func(ctx context.Context, r *itemReader) error { _, err := r.Count(ctx, r.All("at")); return err },
	"Count with a predicate": func(ctx context.Context, r *itemReader) error {
		_, err := r.Count(ctx, r.All("at").Where(func(*item) bool { return true }))
		return err
	},
	"Stream": func(ctx context.Context, r *itemReader) error {
		st := r.Stream(ctx, r.All("rank"))
		for range st.C() {
		}
		return st.Err()
	},
	"Page": func(ctx context.Context, r *itemReader) error {
		_, next, err := r.Page(ctx, r.All("at"), "", 2)
		if err == nil && next != "" {
			_, _, err = r.Page(ctx, r.All("at"), next, 2)
		}
		return err
	},
	"Stats":   func(ctx context.Context, r *itemReader) error { _, err := r.Stats(ctx); return err },
	"WaitFor": func(ctx context.Context, r *itemReader) error { return r.WaitFor(ctx, r.Position()) },
}

// A reader has every read verb in every state of the lock, answers what the owner answers, and changes no byte.
func TestR1_AReaderHasEveryVerbInEveryStateAndChangesNothing(t *testing.T) {
	t.Parallel()
	for state, sc := range scenes() {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			tbl, _ := openBraked(t)
			sc.prepare(t, tbl)
			if state == "empty" {
				put(t, tbl, numbered(0, 5)...)
			}
			admin := redistest.Shared(t).Client(t)
			before := dumped(t, admin, tbl.Name())
			r := readerOf(t, tbl.Name())
			for range 2 { // with an owner, and without
				for call, run := range readerVerbs {
					if err := run(t.Context(), r); err != nil {
						t.Errorf("%s: %v", call, err)
					}
				}
				wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), all(t, tbl.Records(t.Context(), tbl.All("at"))))
			}
			if st, err := r.Stats(t.Context()); err != nil || st.State.String() != stats(t, tbl).State.String() || st.Owner == "" ||
				st.FeedEntries < 2 || st.FeedBytes < 100 || st.Position != r.Position() {
				t.Errorf("stats are %+v, %v", st, err)
			}
			if after := dumped(t, admin, tbl.Name()); !reflect.DeepEqual(before, after) {
				t.Errorf("the keys have changed: %d before, %d after", len(before), len(after))
			}
		})
	}
}

// dumped returns all keys of a table, byte for byte.
func dumped(t testing.TB, rdb *redis.Client, name string) map[string]string {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), name+":*").Result()
	ok(t, err)
	contents := make(map[string]string)
	for _, key := range keys {
		contents[key] = rdb.Dump(t.Context(), key).Val()
	}
	return contents
}

// everyReaderVerb makes every call that a reader has, in every state of the lock, and returns the first error.
func everyReaderVerb(t *testing.T, rdb *redis.Client, name string) error {
	owner := redistest.Shared(t).Client(t)
	b, meanwhile := newBrake(t), &before{do: func() {}}
	rdb.AddHook(meanwhile)
	tbl, err := table.Open(t.Context(), owner, itemDefinition(name), table.WithCleanup(b.pool))
	ok(t, err)
	defer tbl.Close()
	for _, prepare := range []func(){
		func() { put(t, tbl, numbered(0, 50)...) },
		func() { ok(t, tbl.ScratchPut(t.Context(), numbered(40, 60)...)) },
		func() { ok(t, tbl.ScratchMerge(t.Context())) },
	} {
		prepare()
		if _, err := table.StoredDefinition(t.Context(), rdb, name); err != nil {
			return fmt.Errorf("stored definition: %w", err)
		}
		r, err := table.OpenReader(t.Context(), rdb, itemDefinition(name), table.WithPageBytes(400))
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		for call, run := range readerVerbs {
			if err := run(t.Context(), r); err != nil {
				_ = r.Close()
				return fmt.Errorf("%s: %w", call, err)
			}
		}
		if stats(t, tbl).State == table.StateClear { // a read of several pages while the table is written
			meanwhile.do = func() { put(t, tbl, numbered(20, 30)...) }
			_, err = table.Collect(r.Records(t.Context(), r.All("at")))
			meanwhile.do = func() {}
			if err != nil {
				_ = r.Close()
				return fmt.Errorf("records while the table is written: %w", err)
			}
			if err := followOne(t, rdb, name, func() { put(t, tbl, numbered(30, 31)...) }); err != nil {
				_ = r.Close()
				return fmt.Errorf("follow: %w", err)
			}
		}
		ok(t, r.Close())
	}
	return nil
}

// followOne copies a table, and follows it until it is told of one write.
func followOne(t *testing.T, rdb *redis.Client, name string, write func()) error {
	enough := errors.New("enough")
	err := table.Follow(t.Context(), rdb, itemDefinition(name), &brief{twin: newTwin(), write: write, enough: enough})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// brief is a Follower that has a write made when it is in step, and ends Follow when it has been told of it.
type brief struct {
	*twin
	write   func()
	enough  error
	written bool
}

func (b *brief) Proven(time.Time) error {
	if !b.written {
		b.written = true
		b.write()
	}
	return nil
}

func (b *brief) InStep(table.Position) error {
	if b.written {
		return b.enough
	}
	return nil
}

func TestR1_TheACLRuleOfReadersIsEnough(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	user := name + "-reader"
	rdb := limited(t, s, user, readerRule(t, s, name))
	ok(t, everyReaderVerb(t, rdb, name))
	if refused := refusals(t, s, user); len(refused) > 0 {
		t.Errorf("refused, if only in passing: %v", refused)
	}
	for _, write := range []error{
		rdb.HSet(t.Context(), name+":m", "seq", "1").Err(),
		rdb.EvalSha(t.Context(), "0", []string{name + ":m"}).Err(),
		rdb.EvalRO(t.Context(), "return 1", []string{name + ":m"}).Err(),
		rdb.Unlink(t.Context(), name+":m").Err(),
		rdb.HGet(t.Context(), name+"2:m", "seq").Err(),
	} {
		if !wire.IsForbidden(write) {
			t.Errorf("got %v, want a refusal", write)
		}
	}
}

func TestR1_TheACLRuleOfReadersIsTight(t *testing.T) {
	t.Parallel()
	s := redistest.Shared(t)
	for _, part := range readerRule(t, s, "") {
		if !strings.HasPrefix(part, "+") && !strings.HasPrefix(part, "%") {
			continue
		}
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			name := redistest.Prefix(t)
			whole := readerRule(t, s, name)
			rule := slices.DeleteFunc(slices.Clone(whole), func(p string) bool { return strings.Replace(p, "~"+name, "~", 1) == part })
			if len(rule) != len(whole)-1 {
				t.Fatalf("%s was not taken out of %v", part, whole)
			}
			err := everyReaderVerb(t, limited(t, s, name+"-reader", rule), name)
			command := strings.TrimPrefix(part, "+")
			if slices.Contains(optional, command) {
				ok(t, err)
			} else if !wire.IsForbidden(err) {
				t.Errorf("got %v, want a refusal", err)
			}
			if refused := refusals(t, s, name+"-reader"); len(refused) == 0 {
				t.Error("nothing was refused")
			}
		})
	}
}

func TestR1_WithoutATableThereIsErrNoTable(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	_, err := table.OpenReader(t.Context(), rdb, itemDefinition(name))
	if !errors.Is(err, table.ErrNoTable) {
		t.Errorf("got %v, want ErrNoTable", err)
	}
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = table.OpenReader(short, rdb, itemDefinition(name), table.WithWait()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	opened := make(chan *itemReader, 1)
	waiting := async(t, func() error {
		r, err := table.OpenReader(t.Context(), rdb, itemDefinition(name), table.WithWait())
		opened <- r
		return err
	})
	put(t, openOn(t, rdb, name), numbered(0, 3)...)
	ok(t, receive(t, "a reader that waits", waiting))
	r := <-opened
	defer r.Close()
	ok(t, r.WaitFor(t.Context(), r.Position()))
}

// An index of a reader needs no function, and other definitions are refused as by Open.
func TestR1_OpenReaderChecksWhatOpenChecks(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 5)...)
	rdb, def := redistest.Shared(t).Client(t), itemDefinition(tbl.Name())
	def.Indexes = []table.Index[item]{table.By[item]("at", nil), table.By[item]("rank", nil)}
	r, err := table.OpenReader(t.Context(), rdb, def)
	ok(t, err)
	defer r.Close()
	wantItems(t, all(t, r.Records(t.Context(), r.Range("rank", 1, 2))), []item{numbered(1, 2)[0], numbered(4, 5)[0]})
	def.Attributes[0] = table.Field("id", codec.IntAsString, itemID)
	def.Attributes[2] = table.Field("at", codec.FloatAsString, func(i *item) *float64 { return &i.At })
	var differs *table.SchemaError
	if _, err = table.OpenReader(t.Context(), rdb, def); !errors.As(err, &differs) || len(differs.Differences) != 2 {
		t.Errorf("got %v, want two differences", err)
	}
	if _, err = table.OpenReader(t.Context(), nil, def); !errors.Is(err, table.ErrUnsafeClient) {
		t.Errorf("got %v, want ErrUnsafeClient", err)
	}
	def.Indexes = nil
	if _, err = table.OpenReader(t.Context(), rdb, def); !errors.Is(err, table.ErrInvalidDefinition) {
		t.Errorf("got %v, want ErrInvalidDefinition", err)
	}
}

// A reader sees each generation whole and none twice, while the table is merged and folded over and over.
func TestR1_AReaderThroughMergesAndFolds(t *testing.T) {
	t.Parallel()
	const rows, merges = 60, 30
	tbl := openItems(t)
	put(t, tbl, ofGeneration(rows, 0)...)
	r := readerOf(t, tbl.Name())
	reading := async(t, func() error {
		for last := 0.0; last < merges; {
			records, err := table.Collect(r.Records(t.Context(), r.All("at")))
			if err != nil {
				return err
			}
			now := records[0].Rank
			if len(records) != rows || now < last || slices.ContainsFunc(records, func(i item) bool { return i.Rank != now }) {
				return fmt.Errorf("%d rows, after %v %v", len(records), last, records)
			}
			last = now
		}
		return nil
	})
	for g := range merges {
		ok(t, tbl.ScratchPut(t.Context(), ofGeneration(rows, g+1)...))
		ok(t, tbl.ScratchMerge(t.Context()))
	}
	ok(t, receive(t, "the reader", reading))
}

// ofGeneration returns items whose rank tells a generation.
func ofGeneration(n, g int) []item {
	all := numbered(0, n)
	for i := range all {
		all[i].Rank = float64(g)
	}
	return all
}

// Owners come and go, and reset the table; readers go on without an error.
func TestR1_AReaderThroughTakeOversAndResets(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 5)...)
	r := readerOf(t, name)
	for n := range 80 { // more than the truth names predecessors
		var opts []table.Option
		if n%4 == 3 {
			opts = append(opts, table.WithReset())
		}
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), opts...)
		ok(t, err)
		put(t, tbl, numbered(0, n+1)...)
		if n%2 == 0 {
			ok(t, tbl.Close())
		} else {
			defer tbl.Close()
		}
		if got, err := r.Count(t.Context(), r.All("at")); err != nil || got < n+1 {
			t.Fatalf("after %d owners: %d, %v", n, got, err)
		}
	}
}

func TestR1_AReaderThatIsClosedIsErrClosed(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 5)...)
	r := readerOf(t, tbl.Name())
	waiting := async(t, func() error { return r.WaitFor(t.Context(), later(t, tbl.Position(), 100)) })
	ok(t, r.Close())
	ok(t, r.Close())
	if err := receive(t, "a call that waits", waiting); !errors.Is(err, table.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	for call, run := range readerVerbs {
		if err := run(t.Context(), r); !errors.Is(err, table.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", call, err)
		}
	}
}
