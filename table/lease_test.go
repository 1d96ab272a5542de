package table_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/store"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// own returns a client and a table's name of the test's own.
func own(t testing.TB) (*redis.Client, string) {
	t.Helper()
	return redistest.Shared(t).Client(t), redistest.Prefix(t)
}

// wantHeld opens a table with a lease, which must be refused, and returns who holds it and for how long.
func wantHeld(t testing.TB, rdb redis.UniversalClient, name string, opts ...table.Option) *table.HeldError {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), append(opts, table.WithLease(0))...)
	var held *table.HeldError
	switch {
	case err == nil:
		tbl.Close()
		t.Fatal("the table was not held")
	case !errors.Is(err, table.ErrHeld) || !errors.As(err, &held):
		t.Fatal(err)
	}
	return held
}

// awaitClosed waits for a channel to be closed.
func awaitClosed(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("waited too long for %s", what)
	}
}

func TestL1_ALeaseKeepsOthersOut(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	for _, c := range []struct {
		opts []table.Option
		d    time.Duration
	}{
		{[]table.Option{table.WithLease(time.Minute), table.WithOwner("the first")}, time.Minute},
		{[]table.Option{table.WithOwner("an operator")}, 5 * time.Second},
		{[]table.Option{table.WithLease(-1)}, 5 * time.Second},
	} {
		before := time.Now()
		tbl := openOn(t, rdb, name, c.opts...)
		put(t, tbl, numbered(0, 10)...)
		held := wantHeld(t, rdb, name)
		if held.Holder != tbl.Holder() || held.Left <= 0 || held.Left > c.d {
			t.Errorf("told %+v", held)
		}
		wantHeld(t, rdb, name, table.WithReset())
		if until := tbl.LeasedUntil(); until.Before(before.Add(c.d)) || until.After(time.Now().Add(c.d)) {
			t.Errorf("leased until %v", until)
		}
		stored, err := table.StoredLease(t.Context(), rdb, name)
		ok(t, err)
		if stored.Holder != tbl.Holder() || stored.Length != c.d {
			t.Errorf("stored is %+v", stored)
		}
		put(t, tbl, numbered(10, 20)...) // it was not disturbed
		ok(t, tbl.Close())
		stored, err = table.StoredLease(t.Context(), rdb, name)
		if ok(t, err); stored != (table.Lease{}) {
			t.Errorf("stored is %+v after Close", stored)
		}
	}
}

func TestL1_ThereIsNoLeaseWithoutATable(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	stored, err := table.StoredLease(t.Context(), rdb, name)
	if ok(t, err); stored != (table.Lease{}) {
		t.Errorf("stored is %+v", stored)
	}
}

func TestL1_APlainOpenTakesOverAtOnce(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	first := openOn(t, rdb, name, table.WithLease(300*time.Millisecond))
	second := openOn(t, rdb, name)
	awaitClosed(t, "the first owner, who is idle, to notice", first.Done())
	if !errors.Is(first.Err(), table.ErrFenced) {
		t.Errorf("the first owner was told %v", first.Err())
	}
	ok(t, first.Close()) // does not give up what is not its own
	if held := wantHeld(t, rdb, name); held.Holder != second.Holder() {
		t.Errorf("told %+v", held)
	}
}

// Another schema is told though the lease is held: waiting does not cure it.
func TestL1_AMismatchComesBeforeTheLease(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	openOn(t, rdb, name)
	def := itemDefinition(name)
	def.PrimaryKey = table.Key(codec.IntAsString, func(i *item) int64 { return i.ID })
	_, err := table.Open(t.Context(), rdb, def, table.WithLease(time.Second))
	if !errors.Is(err, table.ErrSchemaMismatch) || !table.Lasts(err) {
		t.Errorf("told %v", err)
	}
}

// Renewals go on for as long as the table is open, beside writes, and are no effects.
func TestL1_ALeaseIsRenewed(t *testing.T) {
	t.Parallel()
	const d = 100 * time.Millisecond
	tbl := openItems(t, table.WithLease(d))
	rdb := redistest.Shared(t).Client(t)
	put(t, tbl, numbered(0, 10)...)
	before, err := tbl.Stats(t.Context())
	ok(t, err)
	begin := tbl.LeasedUntil()
	for held := 0; tbl.LeasedUntil().Before(begin.Add(5 * d)); held++ {
		if tbl.LeasedUntil().After(time.Now()) { // else the machine is too busy
			wantHeldOrBusy(t, rdb, tbl)
		}
	}
	after, err := tbl.Stats(t.Context())
	ok(t, err)
	if before.Position != after.Position || before.FeedEntries != after.FeedEntries {
		t.Errorf("before %+v, after %+v", before, after)
	}
	for i := 0; tbl.LeasedUntil().Before(begin.Add(15 * d)); i++ {
		put(t, tbl, numbered(i%50, i%50+5)...)
	}
}

// wantHeldOrBusy fails if a table can be taken though its owner is certain of its lease.
func wantHeldOrBusy(t testing.TB, rdb redis.UniversalClient, tbl *items) {
	t.Helper()
	taken, err := table.Open(t.Context(), rdb, itemDefinition(tbl.Name()), table.WithLease(time.Second))
	switch {
	case errors.Is(err, table.ErrHeld):
	case err != nil:
		t.Fatal(err)
	default:
		certain := tbl.LeasedUntil().After(time.Now())
		taken.Close()
		t.Fatalf("the table was taken; its owner was certain of its lease: %v", certain)
	}
}

// store has the truth tell of a lease that ends so long from now on.
func storeLease(t testing.TB, rdb redis.UniversalClient, name string, length, left time.Duration) {
	t.Helper()
	now, err := rdb.Time(t.Context()).Result()
	ok(t, err)
	ok(t, rdb.HSet(t.Context(), name+":m", "holder", "somebody 0123456789abcdef", "lease", length.Microseconds(),
		"until", now.Add(left).UnixMicro()).Err())
}

// The server's clock decides: what is over is over, and what has begun in the future is no longer than its length.
func TestL1_TheServersClockJumps(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	ok(t, openOn(t, rdb, name).Close())
	storeLease(t, rdb, name, time.Minute, -time.Microsecond)
	ok(t, openOn(t, rdb, name, table.WithLease(time.Second)).Close())

	const length = 300 * time.Millisecond
	storeLease(t, rdb, name, length, time.Hour) // the clock went back by almost an hour
	begin := time.Now()
	for {
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithLease(time.Second))
		if err == nil {
			ok(t, tbl.Close())
			break
		}
		var held *table.HeldError
		if !errors.As(err, &held) || held.Left > length || held.Holder != "somebody 0123456789abcdef" {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < length {
		t.Errorf("the table was taken after %v", took)
	}
}

// A truth of an owner that knows no lease, or a damaged lease, keeps nobody out.
func TestL1_ADamagedLeaseKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	for field, text := range map[string]string{"until": "x", "lease": "", "holder": ""} {
		tbl := openOn(t, rdb, name)
		ok(t, tbl.Close())
		ok(t, rdb.HSet(t.Context(), name+":m", field, text).Err())
		ok(t, openOn(t, rdb, name, table.WithLease(time.Second)).Close())
	}
}

// leaseOf returns the lease of a table's present owner, as its owner has it.
func leaseOf(t testing.TB, rdb redis.UniversalClient, name string) *store.Lease {
	t.Helper()
	epoch, err := rdb.HGet(t.Context(), name+":m", "epoch").Result()
	ok(t, err)
	c := wire.NewClient(rdb, layout.KeysOf(name, []string{"at", "rank"}), "", scripts.All())
	ok(t, c.Load(t.Context()))
	return store.NewLease(c, layout.Epoch(epoch), time.Minute)
}

// A renewal that comes late, after the lease was given up or by an owner who is none any more, changes nothing.
func TestL1_ALateRenewalChangesNothing(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	tbl := openOn(t, rdb, name)
	l := leaseOf(t, rdb, name)
	ok(t, l.Renew(t.Context()))
	ok(t, tbl.Close())
	if err := l.Renew(t.Context()); !errors.Is(err, store.ErrGivenUp) {
		t.Errorf("a renewal after Close was told %v", err)
	}
	next := openOn(t, rdb, name, table.WithLease(time.Hour))
	ok(t, l.GiveUp(t.Context()))
	if err := l.Renew(t.Context()); !errors.Is(err, table.ErrFenced) {
		t.Errorf("a fenced owner's renewal was told %v", err)
	}
	stored, err := table.StoredLease(t.Context(), rdb, name)
	if ok(t, err); stored.Holder != next.Holder() || stored.Length != time.Hour {
		t.Errorf("stored is %+v", stored)
	}
}

// An idle owner learns from its lease that the table is gone.
func TestL1_AnIdleOwnerLearnsOfALoss(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithLease(300*time.Millisecond))
	ok(t, err)
	defer tbl.Close()
	ok(t, table.Drop(t.Context(), rdb, name))
	awaitClosed(t, "the owner to notice", tbl.Done())
	if !errors.Is(tbl.Err(), table.ErrLost) {
		t.Errorf("the owner was told %v", tbl.Err())
	}
}

// While Redis is away a lease runs out, and the table goes on when Redis is back, if nobody has taken it.
func TestL1_ALeaseThatRunsOutEndsNoTable(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	tbl := openOn(t, rdb, name, table.WithLease(200*time.Millisecond))
	put(t, tbl, numbered(0, 1)...)
	ok(t, rdb.HSet(t.Context(), name+":m", "until", 1).Err())
	put(t, tbl, numbered(1, 2)...)
	for begin := tbl.LeasedUntil(); !tbl.LeasedUntil().After(begin); {
		put(t, tbl, numbered(1, 2)...)
	}
	wantHeld(t, rdb, name)
}

func TestL1_HeldErrorTellsWhoAndHowLong(t *testing.T) {
	t.Parallel()
	text := (&table.HeldError{Holder: "host:7 0123456789abcdef", Left: 1500 * time.Millisecond}).Error()
	for _, want := range []string{"host:7 0123456789abcdef", "1.5s", "lease"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}
