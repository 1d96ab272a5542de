package table_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table"
)

// twin is a Follower that keeps all that it is told, and what the table was at each position.
type twin struct {
	rows, next, staged map[int64]*table.Row[item, int64] // next: of a copy that is not yet in step; a nil pointer in staged: discarded
	copies             int
	note               []byte
	noted              int
	wrong              error // scores or keys that are not those of the record

	mu      sync.Mutex // guards what follows
	moments map[table.Position][]item
	notes   map[table.Position][]byte
	at      table.Position
	proven  time.Time
	changed chan struct{} // closed and replaced when at or proven changes
}

func newTwin() *twin {
	return &twin{rows: make(map[int64]*table.Row[item, int64]), moments: make(map[table.Position][]item), notes: make(map[table.Position][]byte), changed: make(chan struct{})}
}

func (c *twin) BeginCopy() error {
	c.copies++
	c.next, c.staged = make(map[int64]*table.Row[item, int64]), make(map[int64]*table.Row[item, int64])
	return nil
}

func (c *twin) CopyRows(rows []table.Row[item, int64]) error {
	for i := range rows {
		c.set(c.target(), &rows[i])
	}
	return nil
}

// target is what visible effects change.
func (c *twin) target() map[int64]*table.Row[item, int64] {
	if c.next != nil {
		return c.next
	}
	return c.rows
}

func (c *twin) set(rows map[int64]*table.Row[item, int64], r *table.Row[item, int64]) {
	if r.Err != nil || r.Key != r.Record.ID || string(r.KeyBytes) != rawKey(r.Key) || len(r.Contents) == 0 {
		c.wrong = fmt.Errorf("row %+v", r)
	}
	rows[r.Key] = r
}

func (c *twin) Apply(e table.Effect[item, int64]) error {
	if e.Noted {
		c.note = e.Note
		c.noted++
	}
	switch e.Kind {
	case table.EffectNote:
	case table.EffectApply:
		c.put(e.Rows)
		c.remove(e.Gone)
	case table.EffectPut:
		c.put(e.Rows)
	case table.EffectDelete:
		c.remove(e.Rows)
	case table.EffectStage:
		for i := range e.Rows {
			c.set(c.staged, &e.Rows[i])
		}
	case table.EffectDiscard:
		for _, r := range e.Rows {
			c.staged[r.Key] = nil
		}
	case table.EffectMerge:
		for key, r := range c.staged {
			c.target()[key] = r
			if r == nil {
				delete(c.target(), key)
			}
		}
		clear(c.staged)
	case table.EffectAbort:
		clear(c.staged)
	case table.EffectClear:
		clear(c.staged)
		clear(c.target())
	default:
		return fmt.Errorf("effect of kind %s", e.Kind)
	}
	return nil
}

func (c *twin) put(rows []table.Row[item, int64]) {
	for i := range rows {
		c.set(c.target(), &rows[i])
		delete(c.staged, rows[i].Key)
	}
}

func (c *twin) remove(rows []table.Row[item, int64]) {
	for _, r := range rows {
		delete(c.target(), r.Key)
		delete(c.staged, r.Key)
	}
}

func (c *twin) InStep(p table.Position) error {
	if c.next != nil {
		c.rows, c.next = c.next, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.moments[p], c.notes[p] = p, sortedByID(c.rows), c.note
	for _, r := range c.rows {
		if !slices.Equal(r.Scores, []float64{r.Record.At, r.Record.Rank}) {
			c.wrong = fmt.Errorf("row %+v in step", r)
		}
	}
	c.signal()
	return c.wrong
}

func (c *twin) Proven(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proven = at
	c.signal()
	return nil
}

func (c *twin) signal() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func sortedByID(rows map[int64]*table.Row[item, int64]) (all []item) {
	for _, r := range rows {
		all = append(all, r.Record)
	}
	slices.SortFunc(all, func(a, b item) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// until waits until something holds of the twin, whose mutex is held meanwhile.
func (c *twin) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	late := time.After(patience)
	for {
		c.mu.Lock()
		is, changed := holds(), c.changed
		c.mu.Unlock()
		if is {
			return
		}
		select {
		case <-changed:
		case <-late:
			c.mu.Lock()
			defer c.mu.Unlock()
			t.Fatalf("waited in vain for %s; the twin is at %s, %v", what, c.at, c.wrong)
		}
	}
}

// wantNote compares the note with which the twin was in step last.
func (c *twin) wantNote(t testing.TB, want []byte) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	wantNote(t, c.notes[c.at], want)
}

// untilAt waits until the twin is in step with a position.
func (c *twin) untilAt(t testing.TB, p table.Position) {
	t.Helper()
	c.until(t, "position "+p.String(), func() bool { return c.at == p })
}

// follow has a twin follow a table until the test ends or the returned function is called, which returns what Follow has returned.
func follow(t testing.TB, rdb redis.UniversalClient, name string, c table.Follower[item, int64], opts ...table.Option) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := table.Follow(ctx, rdb, itemDefinition(name), c, opts...)
		if ctx.Err() == nil {
			t.Errorf("Follow ended by itself: %v", err)
		}
		ended <- err
	}()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			err = receive(t, "the end of Follow", ended)
		})
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// history is what a table was at each position, as its owner knows it.
type history map[table.Position][]item

// compare fails the test unless the twin was right at every position that the history knows, and returns how many these are.
func (h history) compare(t testing.TB, c *twin) (compared int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, got := range c.moments {
		want, known := h[p]
		if !known {
			continue
		}
		compared++
		if wantItems(t, got, want); t.Failed() {
			t.Fatalf("at %v", p)
		}
	}
	return compared
}

// unwilling is a Follower that returns an error when it is in step.
type unwilling struct {
	*twin
	err error
}

func (u *unwilling) InStep(table.Position) error { return u.err }

// held is a Follower that waits before it is in step, while hold is set.
type held struct {
	*twin
	hold    atomic.Bool
	at      chan struct{} // told when it waits
	release chan struct{} // closed to go on
}

func (h *held) InStep(p table.Position) error {
	if h.hold.Load() {
		h.at <- struct{}{}
		<-h.release
	}
	return h.twin.InStep(p)
}

// visible returns what readers of the model see, by key.
func (r *random) visible() (all []item) {
	all = r.model.Read(specOf(r.table.All("at")))
	slices.SortFunc(all, func(a, b item) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
