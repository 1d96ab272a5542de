package wire

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Truth is what is true of a whole table: a moment, and what was counted then.
type Truth struct {
	Moment
	Count, Staged, Live int
	Widest              int // no row has more bytes than this
	Building            int // how many of the last indexes are not complete
}

// ReadTruth reads the raw answer to Commands.Truth. ok is false if it cannot be read, or if the rows have another layout: then a
// script must find out what is wrong.
func (c *Client) ReadTruth(raw []byte) (t Truth, ok bool) {
	r := NewReply(raw)
	var fields [len(layout.TruthFields)][]byte
	if r.List() != len(fields) {
		return t, false
	}
	for i, name := range layout.TruthFields {
		fields[i] = r.Text()
		if fields[i] == nil && name == layout.BuildingField { // which may be missing
			fields[i] = []byte("0")
		}
		if fields[i] == nil {
			return t, false
		}
	}
	texts := momentTexts(fields[:layout.MomentFields])
	var err error
	if t.Moment, err = texts.moment(&c.epochs); err != nil {
		return t, false
	}
	for i, to := range []*int{&t.Count, &t.Staged, &t.Live, &t.Widest, &t.Building} {
		*to = r.number(fields[len(texts)+i])
	}
	return t, r.Err() == nil && string(fields[len(fields)-1]) == c.Layout
}

// IsComplete tells whether an index, of so many, has an entry for each row.
func (t Truth) IsComplete(index, indexes int) bool { return index < indexes-t.Building }

// SameForReaders tells whether readers saw the same at both moments, in the same keys of one kind; o is the later one.
func (t Truth) SameForReaders(o Truth) bool {
	return t.Epoch == o.Epoch && t.View.Generation == o.View.Generation && t.View.Version == o.View.Version &&
		t.Home() == o.Home() && o.Home().IsPlain()
}

// Probe reads the truth, and the sizes of all keys that the truth counts, by plain commands. The caller must make sure that nothing
// has changed between these commands.
type Probe struct {
	client *Client
	truth  *redis.RawCmd
	sizes  []Brief // in the order of Commands.Sizes
}

// QueueTruth queues a probe of the truth alone.
func (c *Client) QueueTruth(ctx context.Context, p Queue) Probe {
	return Probe{client: c, truth: QueueRaw(ctx, p, c.Commands.Truth...)}
}

// QueueProbe queues a probe of the truth and all sizes.
func (c *Client) QueueProbe(ctx context.Context, p Queue) Probe {
	probe := c.QueueTruth(ctx, p)
	probe.sizes = make([]Brief, len(c.Commands.Sizes))
	for i, size := range c.Commands.Sizes {
		probe.sizes[i].prepare(ctx, size)
		_ = p.Process(ctx, &probe.sizes[i]) // only queued
	}
	return probe
}

// Truth returns the truth. ok is false if anything is missing, does not agree with the counts, or cannot be read: then a script
// must find out what is wrong.
func (p Probe) Truth() (t Truth, ok bool) {
	t, ok = p.client.ReadTruth(p.truth.Val())
	return t, ok && p.agrees(t)
}

// agrees tells whether the sizes, if they were read, agree with the counts.
func (p Probe) agrees(t Truth) bool {
	if t.View.Whole && t.Staged != t.Live {
		return false
	}
	indexes := (len(p.sizes) - 2) / 2
	for i := range p.sizes {
		want := t.Live
		switch {
		case i == 1:
			want = t.Staged
		case i >= 2 && i < 2+indexes && !t.IsComplete(i-2, indexes):
			continue
		case i < 2+indexes:
			want = t.Count
		}
		r := NewReply(p.sizes[i].Val())
		if n := r.Integer(); r.Err() != nil || n != want {
			return false
		}
	}
	return true
}

// Err returns why the probe has no answer: the connection has failed, or the server has refused a command.
func (p Probe) Err() error {
	if err := RawError(p.truth); err != nil {
		return err
	}
	for i := range p.sizes {
		if err := p.sizes[i].Failure(); err != nil {
			return err
		}
	}
	return nil
}
