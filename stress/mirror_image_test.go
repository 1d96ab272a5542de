package stress

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

type (
	itemRow    = table.Row[Item, string]
	itemEffect = table.Effect[Item, string]
)

// image is a Follower that has the table in memory, and notes what it was at each position.
type image struct {
	ctx  context.Context
	slow func() time.Duration // what it takes before it is in step

	rows, next map[string]*Item // next: of a copy that is not complete
	staged     map[string]*Item // nil: discarded

	mu      sync.Mutex // guards what follows
	at      table.Position
	proven  time.Time
	moments []moment
	proofs  []proofOf
	copies  int
	changed chan struct{} // closed and replaced when at or proven changes
}

// moment is what a follower had when it was in step.
type moment struct {
	at      table.Position
	content string
}

// proofOf is when all that a follower had, and at which position, was proven to be in.
type proofOf struct {
	time time.Time
	at   table.Position
}

func newImage(ctx context.Context, slow func() time.Duration) *image {
	return &image{ctx: ctx, slow: slow, rows: make(map[string]*Item), changed: make(chan struct{})}
}

func (m *image) BeginCopy() error {
	m.next, m.staged = make(map[string]*Item), make(map[string]*Item)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.copies++
	return nil
}

func (m *image) CopyRows(rows []itemRow) error { return m.put(m.target(), rows, copied) }

// target is what visible effects change.
func (m *image) target() map[string]*Item {
	if m.next != nil {
		return m.next
	}
	return m.rows
}

// source of a row.
type rowSource int

const (
	copied rowSource = iota // its scores may be those of a later version
	told
)

func (m *image) put(to map[string]*Item, rows []itemRow, from rowSource) error {
	for _, r := range rows {
		i := r.Record
		if r.Err != nil || r.Key != i.Key || string(r.KeyBytes) != i.Key || len(r.Contents) == 0 || len(r.Scores) != 2 {
			return fmt.Errorf("a follower is told of %+v", r)
		}
		if from == told && !slices.Equal(r.Scores, []float64{i.A, i.B}) {
			return fmt.Errorf("a follower is told that %v has the scores %v", i, r.Scores)
		}
		to[r.Key] = &i
	}
	return nil
}

func (m *image) Apply(e itemEffect) error {
	switch e.Kind {
	case table.EffectPut:
		return m.putThrough(e.Rows)
	case table.EffectStage:
		return m.put(m.staged, e.Rows, told)
	case table.EffectNote: // these tables have none
	case table.EffectApply:
		m.remove(e.Gone)
		return m.putThrough(e.Rows)
	case table.EffectDelete:
		m.remove(e.Rows)
	case table.EffectDiscard:
		for _, r := range e.Rows {
			m.staged[r.Key] = nil
		}
	case table.EffectMerge:
		m.merge()
	case table.EffectAbort:
		clear(m.staged)
	case table.EffectClear:
		clear(m.staged)
		clear(m.target())
	default:
		return fmt.Errorf("a follower is told of an effect of kind %v", e.Kind)
	}
	return nil
}

func (m *image) putThrough(rows []itemRow) error {
	m.unstage(rows)
	return m.put(m.target(), rows, told)
}

func (m *image) remove(rows []itemRow) {
	m.unstage(rows)
	for _, r := range rows {
		delete(m.target(), r.Key)
	}
}

// unstage forgets what a merge would make of what was written through.
func (m *image) unstage(rows []itemRow) {
	for _, r := range rows {
		delete(m.staged, r.Key)
	}
}

func (m *image) merge() {
	to := m.target()
	for key, i := range m.staged {
		if to[key] = i; i == nil {
			delete(to, key)
		}
	}
	clear(m.staged)
}

func (m *image) InStep(p table.Position) error {
	if m.slow != nil {
		rest(m.ctx, m.slow())
	}
	if m.next != nil {
		m.rows, m.next = m.next, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.moments = p, append(m.moments, moment{p, contentOf(m.rows)})
	m.signal()
	return nil
}

func (m *image) Proven(at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.proven, m.proofs = at, append(m.proofs, proofOf{at, m.at})
	m.signal()
	return nil
}

func (m *image) signal() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// take returns what was noted since the last time.
func (m *image) take() (moments []moment, proofs []proofOf, copies int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	moments, proofs, copies = m.moments, m.proofs, m.copies
	m.moments, m.proofs, m.copies = nil, nil, 0
	return moments, proofs, copies
}

// hasProven tells whether what the image has was proven to be so after a time.
func (m *image) hasProven(after time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.proven.After(after)
}

// await waits until the image is at a position, and that was proven at a time after now.
func (m *image) await(ctx context.Context, p table.Position) error {
	for now := time.Now(); ; {
		m.mu.Lock()
		at, proven, changed := m.at, m.proven, m.changed
		m.mu.Unlock()
		if at == p && proven.After(now) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("a follower is at %v, proven %v ago, and the table at %v: %w", at, time.Since(proven), p, ctx.Err())
		}
	}
}

// contentOf writes a table down, in the order of keys.
func contentOf(rows map[string]*Item) string {
	all := make([]string, 0, len(rows))
	for _, i := range rows {
		all = append(all, i.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
