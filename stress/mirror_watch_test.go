package stress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

type itemMirror = mirror.Mirror[Item, string]

// look is how often a mirror is looked at.
const look = 500 * time.Microsecond

// mirror opens a mirror, which is compared with the table as the other followers are.
func (f *following) mirror(opts ...mirror.Option) {
	ctx, cancel := context.WithCancel(f.t.Context())
	m, err := mirror.Open(ctx, f.client(f.way, followersPatience), itemTable("told"), opts...)
	ok(f.t, err)
	image, ended := newImage(ctx, nil), make(chan struct{})
	f.images = append(f.images, image)
	go func() {
		defer close(ended)
		if err := image.watch(m); err != nil {
			f.t.Errorf("a mirror: %v", err)
			f.part.stop()
		}
	}()
	f.t.Cleanup(func() {
		cancel()
		<-ended
		ok(f.t, m.Close())
	})
}

// watch notes what a mirror shows, and what its age proves, until the image's context ends.
func (m *image) watch(of *itemMirror) error {
	var copies int64
	for last := (table.Position{}); m.ctx.Err() == nil; rest(m.ctx, look) {
		proven := time.Now().Add(-of.Age())
		s := of.Snapshot()
		if s.Position() != last {
			last = s.Position()
			if err := m.readFrom(s); err != nil {
				return err
			}
			if err := m.InStep(last); err != nil {
				return err
			}
		}
		m.provenBy(proven)
		copies = m.countCopies(of.Stats().Resyncs, copies)
	}
	return nil
}

// readFrom reads a snapshot in the order of both indexes.
func (m *image) readFrom(s *mirror.Snapshot[Item, string]) error {
	clear(m.rows)
	for i, err := range s.Records(context.Background(), s.All("a")) {
		if err != nil {
			return err
		}
		m.rows[i.Key] = &i
	}
	n := 0
	for i, err := range s.Records(context.Background(), s.All("b")) {
		if was := m.rows[i.Key]; err != nil || was == nil || *was != i {
			return fmt.Errorf("at %v: %v by one index, %v by the other: %w", s.Position(), was, i, err)
		}
		n++
	}
	if n != len(m.rows) {
		return errors.New("one index has more than the other")
	}
	return nil
}

// provenBy notes a proof, unless it is the one that was noted last.
func (m *image) provenBy(proven time.Time) {
	m.mu.Lock()
	isNew := proven.Sub(m.proven) >= time.Millisecond
	m.mu.Unlock()
	if isNew {
		_ = m.Proven(proven)
	}
}

func (m *image) countCopies(now, before int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.copies += int(now - before)
	return now
}
