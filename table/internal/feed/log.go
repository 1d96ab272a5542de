package feed

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// MostBody bounds the body of one entry. What is larger is not told, and followers copy anew.
const MostBody = 1 << 20

// spare: where entries are dropped, one in so many bytes of the limit becomes free, so that not every small effect has to drop one.
const spare = 64

// entryOverhead is about what an entry takes beside its body.
const entryOverhead = 128

// Log decides what one owner tells the feed of each effect, and what is dropped from it. It is for one goroutine, and for
// effects in order.
type Log struct {
	epoch   layout.Epoch
	limit   int64 // bytes that this owner's entries may have together; 0: there is no feed
	told    []told
	bytes   int64  // of told
	latest  uint64 // the number of the last entry
	session int64  // bytes of bodies of the scratch session that is on
}

// told is an entry that is in the feed.
type told struct {
	seq  uint64
	size int64
}

// NewLog returns the log of an owner. limit is in bytes; with 0 nothing is told.
func NewLog(epoch layout.Epoch, limit int64) *Log { return &Log{epoch: epoch, limit: limit} }

// Addition is what an effect appends to the feed.
type Addition struct {
	Body  []byte // nil: none
	Keys  []byte // of an apply
	Room  int    // of a sweep: how many bytes its body may have; once it was applied, how many it has
	note  int    // bytes of the note
	Trim  string // the id of the first entry that stays; empty: all stay; layout.NoFeed: there is no feed
	drops int
}

// Add returns what e appends. It changes nothing until Added.
func (l *Log) Add(e *engine.Effect) Addition {
	if l.limit <= 0 {
		return Addition{Trim: layout.NoFeed}
	}
	a := l.additionOf(e)
	size, left := a.size(), l.bytes
	if left+size <= l.limit {
		return a
	}
	for ; left+size > l.limit-l.limit/spare && a.drops < len(l.told); a.drops++ {
		left -= l.told[a.drops].size
	}
	a.Trim = layout.EntryID(l.epoch, e.Seq)
	if a.drops < len(l.told) {
		a.Trim = layout.EntryID(l.epoch, l.told[a.drops].seq)
	}
	return a
}

// size is about what the entry takes.
func (a *Addition) size() int64 {
	return int64(len(a.Body) + len(a.Keys) + a.Room + a.note + entryOverhead)
}

// Added notes that an effect was applied with its addition. It does nothing if that is known: a ping settles what was applied
// long ago.
func (l *Log) Added(e *engine.Effect, a Addition) {
	if l.limit <= 0 || e.Seq <= l.latest {
		return
	}
	l.latest = e.Seq
	size := a.size()
	for _, t := range l.told[:a.drops] {
		l.bytes -= t.size
	}
	l.told, l.bytes = append(l.told[a.drops:], told{e.Seq, size}), l.bytes+size
	switch e.Kind {
	case engine.Stage, engine.Discard:
		l.session += size
	case engine.DiscardAll: // nobody needs what was told of the session before
		l.session = size
	case engine.Merge, engine.Abort, engine.Clear:
		l.session = 0
	}
}

// Burned notes that the number of an effect was burned, and the entry that tells of it.
func (l *Log) Burned(e *engine.Effect, a Addition) {
	l.Added(&engine.Effect{Seq: e.Seq + 1}, Addition{drops: a.drops})
}

// additionOf returns what e's entry tells.
func (l *Log) additionOf(e *engine.Effect) (a Addition) {
	if e.Sweep != nil {
		return Addition{Room: l.roomOf(e)}
	}
	if e.Kind != engine.Apply {
		return Addition{Body: l.body(e), note: len(e.Note)}
	}
	left := l.mostBody() - len(e.Note)
	a.Keys = bodyOfKeys(e.Marks, left)
	if a.Body = bodyOfRows(e.Rows, left-len(a.Keys)); a.Keys == nil || a.Body == nil {
		return Addition{}
	}
	a.note = len(e.Note)
	return a
}

// roomOf returns how many bytes the body of a sweep may have.
func (l *Log) roomOf(e *engine.Effect) int {
	if e.Sweep.All || l.toldEnough(e.Kind) {
		return 0
	}
	keys := e.Sweep.Most
	if e.Kind == engine.Discard {
		keys *= 2 // as many of what is staged, and of what is merged
	}
	return min(l.mostBody(), keys*sweptKey)
}

// sweptKey is how many bytes a key of a sweep takes in a body at most, on average.
const sweptKey = 64

// body returns the body of e's entry; nil if it has none, or is not told.
func (l *Log) body(e *engine.Effect) []byte {
	if l.toldEnough(e.Kind) {
		return nil
	}
	switch e.Kind {
	case engine.Put, engine.Stage, engine.Update, engine.DiscardAll:
		return bodyOfRows(e.Rows, l.mostBody())
	case engine.Delete, engine.Discard:
		return bodyOfKeys(e.Marks, l.mostBody())
	}
	return nil
}

// toldEnough tells whether an effect of the kind is not told, because its session has told too much already.
func (l *Log) toldEnough(k engine.Kind) bool {
	return (k == engine.Stage || k == engine.Discard) && l.session > l.limit/2
}

// mostBody bounds the body of one entry: the entry must fit into the feed.
func (l *Log) mostBody() int { return int(min(MostBody, l.limit-entryOverhead)) }

func bodyOfRows(rows []engine.Row, most int) []byte {
	size := 0
	for i := range rows {
		size += layout.RowSize(rows[i].Key, rows[i].Value, len(rows[i].Scores))
	}
	if size > most {
		return nil
	}
	body := make([]byte, 0, size)
	for i := range rows {
		body = layout.AppendRow(body, rows[i].Key, rows[i].Value)
		for _, text := range rows[i].Scores {
			body = layout.AppendScore64(body, layout.ScoreOf(text))
		}
	}
	return body
}

func bodyOfKeys(marks []engine.Mark, most int) []byte {
	size := 0
	for i := range marks {
		size += layout.KeySize(marks[i].Key)
	}
	if size > most {
		return nil
	}
	body := make([]byte, 0, size)
	for i := range marks {
		body = layout.AppendKey(body, marks[i].Key)
	}
	return body
}

// KindOf returns the kind of e's entry.
func KindOf(k engine.Kind) layout.Kind {
	switch k {
	case engine.Put, engine.Update:
		return layout.KindPut
	case engine.Apply:
		return layout.KindApply
	case engine.Delete:
		return layout.KindDelete
	case engine.Stage:
		return layout.KindStage
	case engine.Discard, engine.DiscardAll:
		return layout.KindDiscard
	case engine.Merge:
		return layout.KindMerge
	case engine.Abort:
		return layout.KindAbort
	case engine.Repair:
		return layout.KindRepair
	case engine.Complete:
		return layout.KindBuilt
	}
	return layout.KindClear
}
