package table_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// before is a hook that does something before whatever is sent.
type before struct {
	do   func()
	sent func([]redis.Cmder) // nil: nobody wants to know
}

func (b *before) run(cmds ...redis.Cmder) {
	b.do()
	if b.sent != nil {
		b.sent(cmds)
	}
}

func (b *before) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b.run(cmd)
		return next(ctx, cmd)
	}
}

func (b *before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		b.run(cmds...)
		return next(ctx, cmds)
	}
}

// copier is a reader beside an owner who does something before each of the reader's commands.
type copier struct {
	testing.TB
	reader *scan.Reader
	rdb    *redis.Client // the test's own
	name   string
	hook   *before
}

func newCopier(t testing.TB, rdb *redis.Client, name string, c scan.Config) *copier {
	own := redistest.Shared(t).Client(t)
	schema, err := rdb.HGet(t.Context(), name+":m", "schema").Result()
	ok(t, err)
	client := wire.NewClient(own, layout.KeysOf(name, []string{"at", "rank"}), schema, scripts.All())
	ok(t, client.Load(t.Context()))
	k := &copier{TB: t, rdb: rdb, name: name, hook: &before{do: func() {}}}
	own.AddHook(k.hook)
	c.Snapshots = scan.Copied
	shown := scan.NewShown()
	k.reader = scan.NewReader(client, shown, c)
	t.Cleanup(func() {
		shown.Close()
		k.reader.Close()
	})
	return k
}

// position returns where the table is.
func (k *copier) position() layout.Position {
	truth, err := k.rdb.HMGet(context.Background(), k.name+":m", "epoch", "seq").Result()
	ok(k, err)
	var p layout.Position
	p.Epoch = layout.Epoch(truth[0].(string))
	_, err = fmt.Sscan(truth[1].(string), &p.Seq)
	ok(k, err)
	return p
}

// answer is what a read has yielded.
type answer struct {
	rows    []string // key and name of each
	moments []wire.Moment
	at      layout.Position
	err     error
}

// read reads a spec; meanwhile is done before each command but the first.
func (k *copier) read(s table.Spec[item], meanwhile func()) (a answer) {
	sent := 0
	k.hook.do = func() {
		if sent++; sent > 1 {
			meanwhile()
		}
	}
	defer func() { k.hook.do = func() {} }()
	enough := func(pages []*scan.Page) bool {
		n := 0
		for _, p := range pages {
			n += len(p.Rows)
		}
		return s.Limit > 0 && n >= s.Limit
	}
	a.err = k.reader.Read(k.Context(), queryOf(s), enough, func(p *scan.Page) error {
		a.moments = append(a.moments, p.Moment)
		a.at = layout.Position{Epoch: p.Epoch, Seq: p.View.Seq}
		for i := range p.Keys {
			a.rows = append(a.rows, string(p.Keys[i])+" "+nameIn(p.Rows[i]))
		}
		return nil
	})
	if s.Limit > 0 {
		a.rows = a.rows[:min(len(a.rows), s.Limit)]
	}
	return a
}

func queryOf(s table.Spec[item]) scan.Query {
	q := scan.Query{Scope: scripts.Merged, Reverse: s.Reverse, Limit: s.Limit}
	if s.Index == "rank" {
		q.Index = 1
	}
	for _, in := range s.Intervals {
		if !in.Empty() {
			q.Bounds = append(q.Bounds, layout.BoundOf(in.GE, in.LT))
		}
	}
	if s.Reverse {
		slices.Reverse(q.Bounds)
	}
	return q
}

// nameIn returns the second attribute in a row.
func nameIn(row []byte) string {
	row = row[4:]
	for range 2 {
		n, width := binary.Uvarint(row)
		if row = row[width:]; n == 8 {
			row = row[n:] // the id
			continue
		}
		return string(row[:n])
	}
	return "?"
}

// interleaved is a random table, the history of its model, and a reader.
type interleaved struct {
	*random
	*copier
	history map[layout.Position]*model.Table[item]
	options []table.Option
	trims   bool
}

func newInterleaved(t testing.TB, seed uint64) *interleaved {
	d := newDice(seed)
	feed := []int64{4 << 20, 4 << 20, 4 << 20, 4000, 0}[d.IntN(5)]
	memory := []int64{64 << 20, 64 << 20, 64 << 20, 5000}[d.IntN(4)]
	rdb, name, brake := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
	r := &interleaved{
		options: []table.Option{table.WithCleanup(brake.pool), table.WithFeed(feed)},
		history: make(map[layout.Position]*model.Table[item]), trims: d.IntN(4) == 0,
	}
	through := d.IntN(2) == 0
	if through {
		r.options = append(r.options, table.WithWriteThrough())
	}
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), r.options...)
	ok(t, err)
	r.random = &random{TB: t, dice: d, table: tbl, brake: brake, model: newModel()}
	r.model.Through = through
	r.copier = newCopier(t, rdb, name, scan.Config{PageBytes: 1 + d.IntN(800), Memory: memory, KeepsRows: d.IntN(2) == 0})
	t.Cleanup(func() {
		brake.release()
		brake.now = nil
		r.table.Close()
	})
	r.note()
	return r
}

// note keeps what the table is at this position.
func (r *interleaved) note() { r.history[r.position()] = r.model.Clone() }

// disturb does some random things.
func (r *interleaved) disturb() {
	for range max(0, r.IntN(6)-3) {
		switch chance := r.IntN(100); {
		case chance < 2:
			r.reopen()
		case chance < 4:
			r.reset()
		case chance < 6:
			ok(r.copier.TB, r.table.Clear(context.Background()))
			r.model.Clear()
		case chance < 16 && r.trims:
			ok(r.copier.TB, r.rdb.XTrimMaxLen(context.Background(), r.name+":f", int64(r.IntN(4))).Err())
		default:
			r.step()
		}
		r.note()
	}
}

func (r *interleaved) reopen(more ...table.Option) {
	r.table.Close()
	var err error
	r.table, err = table.Open(context.Background(), r.rdb, itemDefinition(r.name), append(more, r.options...)...)
	ok(r.copier.TB, err)
	r.model.Reopen()
}

func (r *interleaved) reset() {
	r.reopen(table.WithReset())
	r.anew()
}

// fill makes reads long.
func (r *interleaved) fill() {
	if r.model.State == model.StateActive && r.IntN(2) == 0 {
		ok(r.copier.TB, r.table.ScratchAbort(context.Background()))
		r.model.Abort()
		r.note()
	}
	if r.model.State != model.StateClear || r.model.Records() > 40 {
		return
	}
	for range 3 {
		r.put()
		r.note()
	}
}

// tally counts how reads ended.
type tally struct{ short, still, moved, expired int }

// check reads a random spec while other things happen, and compares with the model at the moment that the read names.
func (r *interleaved) check(n *tally) {
	r.fill()
	s, begun, known := r.spec(), r.position(), len(r.history)
	s.Recheck = nil
	a := r.read(s, r.disturb)
	if len(a.moments) == 0 && len(queryOf(s).Bounds) > 0 && a.err == nil {
		r.copier.TB.Fatal("no moment")
	}
	switch {
	case errors.Is(a.err, table.ErrSnapshotExpired):
		n.expired++
	case len(a.moments) < 2 && len(r.history) == known:
		n.short++
	case a.at == begun:
		n.still++
	default:
		n.moved++
	}
	if a.err != nil && !errors.Is(a.err, table.ErrSnapshotExpired) {
		r.copier.TB.Fatal(a.err)
	}
	if len(a.moments) == 0 {
		return
	}
	then := r.history[a.at]
	if then == nil {
		r.copier.TB.Fatalf("the read is of %v, where the table never was", a.at)
	}
	var want []string
	for _, i := range then.Read(specOf(s)) {
		want = append(want, rawKey(i.ID)+" "+i.Name)
	}
	if a.err != nil {
		want = want[:min(len(want), len(a.rows))]
	}
	if !slices.Equal(a.rows, want) {
		r.copier.TB.Fatalf("from %v to %v, spec %+v of %v\ngot\n%q\nwant\n%q", begun, a.at, s, then, a.rows, want)
	}
}

// A long read without a pin is the table at one moment, whatever happens between its pages.
func TestR3_F7_LongReadsAgreeWithAModelAtTheMomentThatTheyName(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for n := range uint64(24) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			t.Logf("go test ./table -run %s -model.seed %d", strings.ReplaceAll(t.Name(), "/", "$/^"), seed)
			r, counts := newInterleaved(t, seed+n), tally{}
			for range 40 {
				r.check(&counts)
			}
			t.Logf("%+v", counts)
		})
	}
}

// newLong returns a table of so many items on several pages, and a reader.
func newLong(t *testing.T, n int, c scan.Config, opts ...table.Option) (*items, *copier) {
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name, opts...)
	put(t, tbl, numbered(0, n)...)
	return tbl, newCopier(t, rdb, name, c)
}

// roomy is a reader's memory that is enough.
const roomy = 1 << 20

// once returns a function that calls f the n-th time that it is called itself.
func once(n int, f func()) func() {
	return func() {
		if n--; n == 0 {
			f()
		}
	}
}

func wantRead(t *testing.T, a answer, want []item) {
	t.Helper()
	ok(t, a.err)
	var rows []string
	for _, i := range want {
		rows = append(rows, rawKey(i.ID)+" "+i.Name)
	}
	if !slices.Equal(a.rows, rows) {
		t.Errorf("got %d rows\n%q\nwant %d\n%q", len(a.rows), a.rows, len(rows), rows)
	}
}

func wantExpired(t *testing.T, a answer, words ...string) {
	t.Helper()
	if !errors.Is(a.err, table.ErrSnapshotExpired) {
		t.Fatalf("got %v, want ErrSnapshotExpired", a.err)
	}
	for _, w := range words {
		if !strings.Contains(a.err.Error(), w) {
			t.Errorf("%q does not say %q", a.err, w)
		}
	}
}

// While nothing moves a copy costs its pages, and no feed is read.
func TestR3_AStillTableIsReadPageByPage(t *testing.T) {
	t.Parallel()
	_, k := newLong(t, 90, scan.Config{PageBytes: 400, Memory: roomy})
	var names []string
	k.hook.sent = func(cmds []redis.Cmder) {
		for _, cmd := range cmds {
			names = append(names, cmd.Name())
		}
	}
	a := k.read(table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}, func() {})
	wantRead(t, a, numbered(0, 90))
	if len(a.moments) < 4 || slices.Contains(names, "xrange") {
		t.Errorf("%d pages by %q", len(a.moments), names)
	}
}

// Without a feed a read that is disturbed begins again; if that happens each time it says what would help, and has shown nothing.
func TestR3_WithoutAFeedALongReadEndsOnlyIfTheTableChangesEachTime(t *testing.T) {
	t.Parallel()
	tbl, k := newLong(t, 90, scan.Config{PageBytes: 400, Memory: roomy}, table.WithFeed(0))
	s, more := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}, numbered(90, 95)
	a := k.read(s, once(3, func() { put(t, tbl, more...) }))
	wantRead(t, a, numbered(0, 95))
	a = k.read(s, func() { put(t, tbl, more...) })
	wantExpired(t, a, "WithFeed", "Follow")
	if len(a.rows) > 0 {
		t.Errorf("%d rows", len(a.rows))
	}
}

// What does not fit the memory is read page by page, and is of one moment nevertheless. The memory is free again each time.
func TestR3_BeyondTheMemoryPagesAreGuarded(t *testing.T) {
	t.Parallel()
	tbl, k := newLong(t, 500, scan.Config{PageBytes: 400, Memory: 12000})
	s := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}
	few := table.Spec[item]{Index: "at", Intervals: []table.Interval{{GE: 0, LT: 300}}}
	same := numbered(0, 1)
	for range 3 {
		wantRead(t, k.read(s, func() {}), numbered(0, 500))
		wantRead(t, k.read(s, func() { ok(t, tbl.ScratchPut(t.Context(), same...)) }), numbered(0, 500)) // changes nothing that is seen
		ok(t, tbl.ScratchAbort(t.Context()))
		wantExpired(t, k.read(s, func() { put(t, tbl, same...) }), "WithSnapshotMemory", "Follow")
		wantExpired(t, k.read(s, once(60, func() { put(t, tbl, same...) })), "WithSnapshotMemory", "Follow")
		wantRead(t, k.read(few, func() { put(t, tbl, same...) }), numbered(0, 30))
	}
}

// An entry that the copy needs is gone: it is copied anew. A read that never gets through says so.
func TestF4_AGapInTheFeedIsCopiedAnew(t *testing.T) {
	t.Parallel()
	tbl, k := newLong(t, 90, scan.Config{PageBytes: 400, Memory: roomy})
	s, n := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}, int64(90)
	change := func() {
		put(t, tbl, numbered(int(n), int(n)+1)...)
		put(t, tbl, numbered(int(n), int(n)+1)...)
		n++
		ok(t, k.rdb.XTrimMaxLen(t.Context(), k.name+":f", 1).Err())
	}
	a := k.read(s, once(4, change))
	wantRead(t, a, numbered(0, 91))
	wantExpired(t, k.read(s, change), "WithFeed")
}

// A session that is on when the read begins, and merges meanwhile, is copied anew. One that begins later is in the feed.
func TestF7_ASessionThatMergesMeanwhile(t *testing.T) {
	t.Parallel()
	tbl, k := newLong(t, 90, scan.Config{PageBytes: 400, Memory: roomy})
	s := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}
	ok(t, tbl.ScratchPut(t.Context(), numbered(90, 100)...))
	wantRead(t, k.read(s, once(2, func() { ok(t, tbl.ScratchMerge(t.Context())) })), numbered(0, 100))
	ok(t, tbl.WaitClear(t.Context()))
	n := 0
	a := k.read(s, func() {
		switch n++; n {
		case 2:
			ok(t, tbl.ScratchPut(t.Context(), numbered(100, 110)...))
		case 5:
			ok(t, tbl.ScratchMerge(t.Context()))
		}
	})
	wantRead(t, a, numbered(0, 110))
}

// A read of few rows does not read what lies behind them, whatever moves.
func TestR3_ALimitEndsTheCopy(t *testing.T) {
	t.Parallel()
	tbl, k := newLong(t, 900, scan.Config{PageBytes: 400, Memory: roomy})
	sent := 0
	s := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}, Limit: 30}
	a := k.read(s, func() {
		if sent++; sent == 3 {
			_, err := tbl.DeleteKeys(t.Context(), 0, 1, 2, 3)
			ok(t, err)
		}
	})
	wantRead(t, a, numbered(4, 34))
	if sent > 40 {
		t.Errorf("%d commands", sent)
	}
}

// A read whose context ends returns although a command hangs, and so does one whose consumer stops.
func TestR3_ALongReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, k := newLong(t, 90, scan.Config{PageBytes: 400, Memory: 40000})
	s := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}
	ctx, cancel := context.WithCancel(t.Context())
	sent, hangs := 0, make(chan struct{})
	k.hook.do = func() {
		if sent++; sent == 4 {
			cancel()
			<-hangs
		}
	}
	none := func([]*scan.Page) bool { return false }
	err := k.reader.Read(ctx, queryOf(s), none, func(*scan.Page) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(hangs)
	k.hook.do = func() {}
	for range 20 { // so that memory which is not given back is missed
		if err := k.reader.Read(t.Context(), queryOf(s), none, func(*scan.Page) error { return scan.ErrStop }); !errors.Is(err, scan.ErrStop) {
			t.Errorf("got %v", err)
		}
	}
	tbl := openOn(t, k.rdb, k.name)
	wantRead(t, k.read(s, func() { put(t, tbl, numbered(0, 1)...) }), numbered(0, 90))
}
