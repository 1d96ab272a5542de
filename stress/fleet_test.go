package stress

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// member is one record of a group. All members of a group carry the same version.
type member struct {
	Key                  string
	Group, Slot, Version int64
}

type members = table.Table[member, string]

// memberTable has two indexes: in the order of "at" the members of a group lie far apart, so that a long read meets it on
// every page; "rank" moves with each version, so that a stale entry shows as a member too many.
func memberTable(name string, groups int) table.Definition[member, string] {
	return table.Definition[member, string]{
		Name:       name,
		PrimaryKey: table.Key(codec.String, func(m *member) string { return m.Key }),
		Attributes: []table.Attribute[member]{
			table.Field("key", codec.String, func(m *member) *string { return &m.Key }),
			table.Field("group", codec.Int64, func(m *member) *int64 { return &m.Group }),
			table.Field("slot", codec.Int64, func(m *member) *int64 { return &m.Slot }),
			table.Field("version", codec.Int64, func(m *member) *int64 { return &m.Version }),
		},
		Indexes: []table.Index[member]{
			table.By("at", func(m *member) float64 { return float64(m.Slot*int64(groups) + m.Group) }),
			table.By("rank", func(m *member) float64 { return float64((m.Version*7919 + m.Group*31 + m.Slot) % 1000) }),
		},
	}
}

// fleet is a table of groups under load, with the ledger of its writes. Each third of the groups is reloaded as a whole,
// under keys that no other reload but the one after the next uses again: so a reload deletes and adds.
type fleet struct {
	rdb           redis.UniversalClient
	tbl           atomic.Pointer[members]
	led           *Ledger
	groups, slots int
	patience      time.Duration // for one attempt to reload; 0: as long as it takes

	reloading sync.Mutex   // taken before locks
	locks     []sync.Mutex // one a group, taken in order: who writes it
	variant   []int64      // of the group's keys; guarded by its lock

	merged atomic.Pointer[chan struct{}] // closed after the next merge

	merges, puts, reads, spanned, long, expired atomic.Int64
}

const thirds = 3

// newFleet fills a table with groups of version 0.
func newFleet(t testing.TB, rdb redis.UniversalClient, name string, groups, slots int, opts ...table.Option) *fleet {
	t.Helper()
	f := &fleet{rdb: rdb, led: NewLedger(groups, func(g int) int { return g * thirds / groups }), groups: groups, slots: slots,
		locks: make([]sync.Mutex, groups), variant: make([]int64, groups)}
	next := make(chan struct{})
	f.merged.Store(&next)
	tbl, err := table.Open(t.Context(), rdb, memberTable(name, groups), opts...)
	ok(t, err)
	f.tbl.Store(tbl)
	t.Cleanup(func() { f.tbl.Load().Close() })
	for g := range groups {
		ok(t, tbl.Put(t.Context(), f.members(g, 0)...))
	}
	return f
}

func memberKey(group int, slot, variant int64) string {
	return fmt.Sprintf("%d-%d-%d", group, slot, variant)
}

// members returns a group in a version. Its lock is held.
func (f *fleet) members(group int, version int64) []member {
	all := make([]member, f.slots)
	for s := range all {
		all[s] = member{Key: memberKey(group, int64(s), f.variant[group]), Group: int64(group), Slot: int64(s), Version: version}
	}
	return all
}

// put writes a group once.
func (f *fleet) put(ctx context.Context, group int) error {
	f.locks[group].Lock()
	defer f.locks[group].Unlock()
	version := f.led.Begin(group)
	err := f.tbl.Load().Put(ctx, f.members(group, version)...)
	f.led.End(group, outcome(err))
	if err == nil {
		f.puts.Add(1)
	}
	return err
}

// outcome is what an error says of a write that stands alone.
func outcome(err error) Outcome {
	var server redis.Error
	switch {
	case err == nil:
		return Done
	case errors.Is(err, table.ErrUnknownOutcome):
		return Unknown
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, table.ErrFenced),
		errors.Is(err, table.ErrClosed), errors.As(err, new(*table.GivenUpError)), errors.As(err, &server):
		return Refused
	}
	return Unknown
}

// reload writes a third of the groups at one instant. After a failure nobody knows what is there, and nobody else may
// write the groups: so it goes on until it has succeeded, or returns with over when that is closed.
func (f *fleet) reload(ctx context.Context, third int, over func(error) bool) error {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	low, high := (third*f.groups+thirds-1)/thirds, ((third+1)*f.groups+thirds-1)/thirds
	for g := low; g < high; g++ {
		f.locks[g].Lock()
		defer f.locks[g].Unlock()
	}
	for {
		err := f.attempt(ctx, low, high)
		if err == nil || over(err) {
			return err
		}
	}
}

func (f *fleet) attempt(ctx context.Context, low, high int) error {
	if f.patience > 0 {
		limited, cancel := context.WithTimeout(ctx, f.patience)
		defer cancel()
		ctx = limited
	}
	return f.reloadOnce(ctx, low, high)
}

func (f *fleet) reloadOnce(ctx context.Context, low, high int) error {
	for g := low; g < high; g++ {
		f.variant[g] = 1 - f.variant[g]
	}
	merging, err := f.stage(ctx, low, high)
	if err == nil {
		f.countMerge()
	}
	for g := low; g < high; g++ {
		switch {
		case err == nil:
			f.led.End(g, Done)
		case merging:
			f.led.End(g, outcome(err))
		default:
			f.led.End(g, Refused) // dropped before the next attempt begins, see stage
		}
	}
	return err
}

// stage reloads groups, and tells whether it came to the merge.
func (f *fleet) stage(ctx context.Context, low, high int) (merging bool, err error) {
	var all []member
	for k, version := range f.led.BeginJoint(between(low, high)) {
		all = append(all, f.members(low+k, version)...)
	}
	tbl := f.tbl.Load()
	if err := tbl.ScratchAbort(ctx); err != nil { // what an attempt before this one has left
		return false, err
	}
	if _, err := tbl.ScratchDiscard(ctx, f.spec(low, high)); err != nil {
		return false, err
	}
	if err := tbl.ScratchPut(ctx, all...); err != nil {
		return false, err
	}
	return true, tbl.ScratchMerge(ctx)
}

// nextMerge returns a channel that is closed when the merge after now is done.
func (f *fleet) nextMerge() <-chan struct{} { return *f.merged.Load() }

func (f *fleet) countMerge() {
	f.merges.Add(1)
	next := make(chan struct{})
	close(*f.merged.Swap(&next))
}

func between(low, high int) (all []int) {
	for g := low; g < high; g++ {
		all = append(all, g)
	}
	return all
}

// spec is all members of some groups: an interval a slot.
func (f *fleet) spec(low, high int) table.Spec[member] {
	s := table.Spec[member]{Index: "at"}
	for slot := range f.slots {
		s.Intervals = append(s.Intervals, table.Interval{GE: float64(slot*f.groups + low), LT: float64(slot*f.groups + high)})
	}
	return s
}

// view is what one read has brought, and when.
type view struct {
	begin, end int64
	merges     int64 // that were done when it began
	versions   map[int]int64
	members    map[int]int // of each group: a bit for each slot
}

func (f *fleet) look() *view {
	return &view{begin: f.led.Now(), merges: f.merges.Load(), versions: make(map[int]int64, f.groups), members: make(map[int]int, f.groups)}
}

func (v *view) add(m member) error {
	g, bit := int(m.Group), 1<<m.Slot
	if version, there := v.versions[g]; there && version != m.Version {
		return fmt.Errorf("group %d has versions %d and %d in one read", g, version, m.Version)
	}
	if v.members[g]&bit != 0 {
		return fmt.Errorf("slot %d of group %d came twice", m.Slot, g)
	}
	v.members[g] |= bit
	v.versions[g] = m.Version
	return nil
}

// check returns an error unless the view is exactly so many members of each of the groups, all of one moment.
func (f *fleet) check(v *view, groups, slots int) error {
	v.end = f.led.Now()
	if len(v.versions) != groups {
		return fmt.Errorf("a read brings %d groups, want %d", len(v.versions), groups)
	}
	for g, m := range v.members {
		if n := bits.OnesCount(uint(m)); n != slots {
			return fmt.Errorf("a read brings %d members of group %d, want %d", n, g, slots)
		}
	}
	f.reads.Add(1)
	f.spanned.Add(f.merges.Load() - v.merges)
	return f.led.Check(v.begin, v.end, v.versions)
}

// readAll reads a sequence and checks it. each is called after every record.
func (f *fleet) readAll(seq iter.Seq2[member, error], groups, slots int, each func(n int)) error {
	v, n := f.look(), 0
	for m, err := range seq {
		if err != nil {
			return err
		}
		if err := v.add(m); err != nil {
			return wrong{err}
		}
		n++
		each(n)
	}
	if err := f.check(v, groups, slots); err != nil {
		return wrong{err}
	}
	return nil
}

// wrong is an answer that must not be, as opposed to none.
type wrong struct{ error }

func nothing(int) {}

// query makes one short read of a random kind, and checks it.
func (f *fleet) query(ctx context.Context, r *rand.Rand) error {
	tbl := f.tbl.Load()
	switch slot, g := float64(r.IntN(f.slots)*f.groups), r.IntN(f.groups); r.IntN(5) {
	case 0:
		return f.readAll(tbl.Records(ctx, tbl.Range("at", slot, slot+float64(f.groups))), f.groups, 1, nothing)
	case 1:
		return f.readAll(tbl.Records(ctx, tbl.Range("at", slot, slot+float64(f.groups)).Reversed().Max(10)), min(10, f.groups), 1, nothing)
	case 2:
		return f.readAll(tbl.Records(ctx, f.spec(g, g+1)), 1, f.slots, nothing)
	case 3:
		var keys []string
		for s := range f.slots {
			keys = append(keys, memberKey(g, int64(s), 0), memberKey(g, int64(s), 1))
		}
		return f.readAll(tbl.Lookup(ctx, keys...), 1, f.slots, nothing)
	}
	return f.count(ctx, tbl)
}

func (f *fleet) count(ctx context.Context, tbl *members) error {
	n, err := tbl.Count(ctx, tbl.All("rank"))
	if err == nil && n != f.groups*f.slots {
		return wrong{fmt.Errorf("counted %d, want %d", n, f.groups*f.slots)}
	}
	if err == nil {
		f.reads.Add(1)
	}
	return err
}

// whole reads everything, over many pages.
func (f *fleet) whole(ctx context.Context, r *rand.Rand, each func(n int)) error {
	tbl := f.tbl.Load()
	s := tbl.All([]string{"at", "rank"}[r.IntN(2)])
	s.Reverse = r.IntN(2) == 0
	f.long.Add(1)
	err := f.readAll(tbl.Records(ctx, s), f.groups, f.slots, each)
	if errors.Is(err, table.ErrSnapshotExpired) {
		f.expired.Add(1)
	}
	return err
}
