package scripts

import (
	"context"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// The two short reads without their quick way.
var (
	slowLookup = define(wire.MayRead, reading, "lookup")
	slowPage   = define(wire.MayRead, reading, "page")
)

const quickSchema = "a schema"

// A quickRig is a table of raw keys: ten merged rows, all equally wide, and what is staged.
type quickRig struct {
	client *wire.Client
	raw    *redis.Client
}

// newQuickRig makes a table in a state, with so many staged rows, the last of which is a tombstone unless the session is whole.
func newQuickRig(t testing.TB, s *redistest.Server, state string, staged int) quickRig {
	t.Helper()
	r := quickRig{raw: s.Client(t)}
	keys := layout.KeysOf(redistest.Prefix(t), []string{"at", "rank"})
	r.client = wire.NewClient(r.raw, keys, quickSchema, []*wire.Script{page, lookup, slowPage, slowLookup})
	p := r.raw.Pipeline()
	for i := range 10 {
		r.add(t, p, keys.Rows, keys.Merged, i, "0000 a row")
	}
	live := staged
	for i := range staged {
		if r.add(t, p, keys.Staged, keys.Shadow, 2*i, "0001 a new"); i == staged-1 && !strings.HasSuffix(state, "-whole") {
			live--
			p.HSet(t.Context(), keys.Staged, quickKey(2*i), "0001")
			for _, index := range keys.Shadow {
				p.ZRem(t.Context(), index, quickKey(2*i))
			}
		}
	}
	p.HSet(t.Context(), keys.Truth, "epoch", "1-aa", "last", "x", "state", state, "seq", 7, "gen", 1, "rver", 3, "burns", 0, "notes", 2,
		"count", 10, "staged", staged, "live", live, "widest", 10, "building", 0, "layout", layout.Proof(quickSchema))
	if _, err := p.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.client.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func quickKey(i int) string { return "k" + strconv.Itoa(i) }

// add stores a row, at the score of its number in each index.
func (r *quickRig) add(t testing.TB, p redis.Pipeliner, hash string, indexes []string, i int, row string) {
	p.HSet(t.Context(), hash, quickKey(i), row)
	for _, index := range indexes {
		p.ZAdd(t.Context(), index, redis.Z{Score: float64(i), Member: quickKey(i)})
	}
}

// lookups are calls of a look-up script: arguments behind the layout.
var lookups = [][]any{
	{"merged", 0, "k1"}, {"merged", 0, "k4", "none", "k8", "k4"}, {"merged", 0, "none"}, {"merged", 0, ""},
	{"merged", 1, "k1", "k2"}, {"staged", 0, "k2", "k3", "k4"}, {"staged", 2, "k2", "k3", "k8"},
}

// shortPages are the calls of pages that the quick way is for.
var shortPages = [][]any{
	{"", "", "merged", 2, 1000, 10_000, 2, "up", "", "", "", "2", "(6"},
	{"", "", "merged", 1, 5, 60, 2, "down", "", "", "", "3", "(7"},
	{"", "", "merged", 2, 1000, 10_000, 2, "up", "", "", "", "(9", "+Inf"},
}

// pages are calls of the page script: arguments behind the layout.
func pages() (calls [][]any) {
	for _, of := range [][]any{{"", ""}, {"1", "3"}, {"0", "3"}, {"1", "2"}} {
		for _, scope := range []string{"merged", "staged"} {
			for _, way := range [][]any{{"up", "", ""}, {"down", "", ""}, {"up", "3", "k3"}} {
				for _, most := range []int{1, 4, 5, 1000} {
					for _, bytes := range []int{1, 30, 40, 10_000} {
						begin := append(append([]any{}, of...), scope, 2, most, bytes, 2)
						calls = append(calls,
							append(append(append([]any{}, begin...), way...), "", "2", "(6"),
							append(append(append([]any{}, begin...), way...), "scores", "2", "(6"),
							append(append(append([]any{}, begin...), way...), "", "(9", "+Inf"),
							append(append(append([]any{}, begin...), way...), "", "-Inf", "(2", "4", "(7"))
					}
				}
			}
		}
	}
	return calls
}

// outcome is what a call of a script brings, or how it was refused.
type outcome struct {
	Status                    wire.Status
	Moment                    wire.Moment
	Stop                      int
	Score, Member             string
	Keys, Rows, Scores        [][]byte
	Refused, Foreign, Damaged bool
}

func (r *quickRig) ask(t *testing.T, s *wire.Script, args []any) (o outcome) {
	t.Helper()
	cmd := redis.NewRawCmd(t.Context(), append(append(r.client.Call(s, 1+len(args)), &r.client.Layout), args...)...)
	r.client.Process(t.Context(), cmd)
	if err := wire.RawError(cmd); err != nil {
		return outcome{Refused: wire.IsRefusal(err), Foreign: wire.LostToForeignType(err) != err}
	}
	a, err := wire.ReadAnswer(cmd.Val())
	o = outcome{Status: a.Status, Moment: a.Moment, Damaged: err != nil}
	if err != nil || a.Status != wire.StatusOK {
		return o
	}
	if s == page || s == slowPage {
		o.Stop, o.Score, o.Member, o.Keys = a.Rest.Integer(), string(a.Rest.Text()), string(a.Rest.Text()), a.Rest.Texts()
	}
	o.Rows, o.Scores = a.Rest.Texts(), a.Rest.Texts()
	if a.Rest.Err() != nil {
		t.Fatal(a.Rest.Err())
	}
	return o
}

// compare asks with and without the quick way.
func (r *quickRig) compare(t *testing.T, pages [][]any) {
	t.Helper()
	for _, args := range lookups {
		if got, want := r.ask(t, lookup, args), r.ask(t, slowLookup, args); !reflect.DeepEqual(got, want) {
			t.Errorf("look-up %v: got %+v, want %+v", args, got, want)
		}
	}
	for _, args := range pages {
		if got, want := r.ask(t, page, args), r.ask(t, slowPage, args); !reflect.DeepEqual(got, want) {
			t.Errorf("page %v: got %+v, want %+v", args, got, want)
		}
	}
}

// G3: a short read has the same answer by the quick way, in every state.
func TestTheQuickWayAnswersTheSameInEveryState(t *testing.T) {
	t.Parallel()
	for state, staged := range map[string]int{"clear": 0, "active": 4, "active-whole": 5, "merging": 4, "merging-whole": 5} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			r := newQuickRig(t, redistest.Shared(t), state, staged)
			r.compare(t, pages())
		})
	}
}

// G11, R4: whatever is wrong is found as it is without the quick way.
func TestTheQuickWayFindsTheSameWrong(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"clear", "active-whole"} {
		for what, damage := range damages() {
			t.Run(state+": "+what, func(t *testing.T) {
				t.Parallel()
				r := newQuickRig(t, redistest.Shared(t), state, map[string]int{"active-whole": 5}[state])
				if err := damage(t.Context(), r.raw, &r.client.Keys).Err(); err != nil {
					t.Fatal(err)
				}
				r.compare(t, shortPages)
			})
		}
	}
}

type damage func(context.Context, *redis.Client, *layout.Keys) redis.Cmder

func damages() map[string]damage {
	all := map[string]damage{}
	for _, field := range layout.TruthFields {
		all[field+" missing"] = func(ctx context.Context, c *redis.Client, k *layout.Keys) redis.Cmder {
			return c.HDel(ctx, k.Truth, field)
		}
		for _, value := range []string{"", "1", "1e1", " 7", "7 7", "-1", "merging", "0x5"} {
			all[field+" is '"+value+"'"] = func(ctx context.Context, c *redis.Client, k *layout.Keys) redis.Cmder {
				return c.HSet(ctx, k.Truth, field, value)
			}
		}
	}
	for i := range 8 {
		all["key "+strconv.Itoa(i)+" missing"] = func(ctx context.Context, c *redis.Client, k *layout.Keys) redis.Cmder { return c.Del(ctx, k.All[i]) }
		all["key "+strconv.Itoa(i)+" of a foreign type"] = func(ctx context.Context, c *redis.Client, k *layout.Keys) redis.Cmder {
			return c.Set(ctx, k.All[i], "x", 0)
		}
	}
	all["a row missing"] = func(ctx context.Context, c *redis.Client, k *layout.Keys) redis.Cmder {
		return c.HDel(ctx, k.Rows, "k4")
	}
	all["another row in its place"] = func(ctx context.Context, c *redis.Client, k *layout.Keys) redis.Cmder {
		return c.Eval(ctx, "redis.call('HDEL', KEYS[1], 'k4') return redis.call('HSET', KEYS[1], 'other', 'x')", []string{k.Rows})
	}
	return all
}

// A short read of a table as it mostly is goes the quick way: it reads the truth once.
func TestTheQuickWayIsTaken(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for state, quick := range map[string]int{"clear": 2, "active": 2, "active-whole": 2, "merging": 3 + 1, "merging-whole": 3} {
		r := newQuickRig(t, s, state, 5)
		for name, ask := range map[string]func(){
			"look-up": func() { r.ask(t, lookup, []any{"merged", 0, "k1"}) },
			"page":    func() { r.ask(t, page, shortPages[0]) },
		} {
			r.raw.ConfigResetStat(t.Context())
			ask()
			stats, err := r.raw.Info(t.Context(), "commandstats").Result()
			if err != nil {
				t.Fatal(err)
			}
			m := regexp.MustCompile(`cmdstat_hmget:calls=(\d+),`).FindStringSubmatch(stats)
			if m == nil || name == "look-up" && m[1] != strconv.Itoa(quick) || (m[1] == "2") != (quick == 2) {
				t.Errorf("%s, %s: %v calls of HMGET", state, name, m)
			}
		}
	}
}

// The quick way reads the fields of the truth by their places.
func TestTheQuickWayTakesTheRightFields(t *testing.T) {
	t.Parallel()
	used := regexp.MustCompile(`(count|staged|live|building|whole) = v\[(\d+)\]|v\[(\d+)\] == ARGV\[1\]|v\[(\d+)\] == '[a-z]|v\[(\d+)\] == '0'|/ tonumber\(v\[(\d+)\]\)`)
	found := 0
	for _, m := range used.FindAllStringSubmatch(lua(t, "prelude/quick")+lua(t, "prelude/quickpage"), -1) {
		for i, field := range []string{strings.Replace(m[1], "whole", "state", 1), "layout", "state", "building", "widest"} {
			if m[2+i] == "" {
				continue
			}
			at, _ := strconv.Atoi(m[2+i])
			if found++; layout.TruthFields[at-1] != field {
				t.Errorf("%s is %s, not %s", m[0], layout.TruthFields[at-1], field)
			}
		}
	}
	if found != 11 {
		t.Errorf("%d fields found", found)
	}
}
