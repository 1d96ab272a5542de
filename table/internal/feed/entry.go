package feed

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Entry is one effect as its owner has told it. It shares the memory of the reply that it came in.
type Entry struct {
	At       layout.Position // where the table is after it
	Previous layout.Position // where it was before
	Kind     layout.Kind
	Verdicts string
	All      bool   // of a delete or discard: it is of everything. It has no verdicts, and its body has rows: those that a discard leaves
	Body     []byte // nil where there is none
	Schema   string // of a claim
	Gone     []byte // of an apply: the body of its keys
	Note     []byte // of an apply or a merge; nil: the note stays as it is
}

// Rows returns the rows of the body.
func (e *Entry) Rows(indexes int) ([]layout.BodyRow, error) { return layout.RowsOf(e.Body, indexes) }

// Keys returns the keys that are gone after the effect: of a discard those that it has found; of a delete and an apply there may have
// been nothing under some of them.
func (e *Entry) Keys() ([][]byte, error) {
	if e.Kind == layout.KindApply {
		return layout.KeysIn(e.Gone)
	}
	keys, err := layout.KeysIn(e.Body)
	if err != nil {
		return nil, err
	}
	if len(keys) != len(e.Verdicts) {
		return nil, fmt.Errorf("%w: %d keys and %d verdicts", layout.ErrBody, len(keys), len(e.Verdicts))
	}
	found := keys[:0]
	for i, key := range keys {
		v := engine.Verdict(e.Verdicts[i])
		if v == engine.Marked || v == engine.Missing && e.Kind == layout.KindDelete {
			found = append(found, key)
		}
	}
	return found, nil
}

// IsTold tells whether the entry says all that the effect has changed. A repair does not, and of a kind that a later version of this
// library has nobody here knows.
func (e *Entry) IsTold() bool {
	switch e.Kind {
	case layout.KindPut, layout.KindStage, layout.KindDelete, layout.KindDiscard, layout.KindApply:
		return e.Body != nil || e.All
	case layout.KindMerge, layout.KindAbort, layout.KindClear, layout.KindBurn, layout.KindBuilt, layout.KindClaim, layout.KindReset:
		return true
	}
	return false
}

// Append appends the entry of an effect that needs no verdicts but those that it has marked all.
func Append(feed *string, e *scripts.Effect) []any {
	texts := &struct{ id, previous, kind string }{ // one allocation, where each string by itself would be one
		layout.EntryID(e.Epoch, e.Seq), strconv.FormatUint(e.Prev, 10), string(KindOf(e.Kind))}
	args := make([]any, 0, 16)
	args = append(args, "xadd", feed)
	if e.Trim != "" {
		args = append(args, "minid", "=", &e.Trim)
	}
	args = append(args, &texts.id, layout.EntryEpoch, (*string)(&e.Epoch),
		layout.EntryPrevious, &texts.previous, layout.EntryKind, &texts.kind)
	if e.Kind == engine.Delete || e.Kind == engine.Discard {
		args = append(args, layout.EntryVerdicts, strings.Repeat(string(engine.Marked), len(e.Marks)))
	}
	if e.Body != nil {
		args = append(args, layout.EntryBody, &e.Body)
	}
	if len(e.Keys) > 0 {
		args = append(args, layout.EntryKeys, &e.Keys)
	}
	if e.Body != nil && e.Note != nil {
		args = append(args, layout.EntryNote, (*engine.Bytes)(&e.Note))
	}
	return args
}

// Ahead asks whether there is an entry behind a position. It costs the same wherever the feed ends.
func Ahead(feed *string, behind layout.Position) []any {
	return []any{"xrevrange", feed, "+", layout.BehindID(behind.Epoch, behind.Seq), "count", 1}
}

// Range asks for at most n entries behind a position, up to and with another one.
func Range(feed *string, behind, through layout.Position, n int) []any {
	return []any{"xrange", feed, layout.BehindID(behind.Epoch, behind.Seq), layout.EntryID(through.Epoch, through.Seq), "count", n}
}

// readStream reads the raw answer to XREAD of one stream, in RESP2 or RESP3.
func readStream(raw []byte) (entries []Entry, err error) {
	r := wire.NewReply(raw)
	if !r.Map() {
		if r.List() != 1 || r.List() != 2 {
			r.Fail()
		}
	}
	r.Text() // the key
	return entriesOf(&r)
}

// ReadEntries reads the raw answer to Range.
func ReadEntries(raw []byte) (entries []Entry, err error) {
	r := wire.NewReply(raw)
	return entriesOf(&r)
}

func entriesOf(r *wire.Reply) (entries []Entry, err error) {
	for n := r.List(); n > 0 && r.Err() == nil; n-- {
		entries = append(entries, readEntry(r))
	}
	return entries, r.Err()
}

func readEntry(r *wire.Reply) (e Entry) {
	if r.List() != 2 {
		r.Fail()
	}
	_, number, _ := strings.Cut(string(r.Text()), "-")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		r.Fail()
	}
	e.At.Seq = seq
	var previous string
	for fields := r.List(); fields > 1 && r.Err() == nil; fields -= 2 {
		name, value := string(r.Text()), r.Text()
		switch name {
		case layout.EntryEpoch:
			e.At.Epoch = layout.Epoch(value)
		case layout.EntryPrevious:
			previous = string(value)
		case layout.EntryKind:
			e.Kind = layout.Kind(value)
		case layout.EntryVerdicts:
			e.Verdicts = string(value)
		case layout.EntryBody:
			e.Body = value
		case layout.EntrySchema:
			e.Schema = string(value)
		case layout.EntryKeys:
			e.Gone = value
		case layout.EntryNote:
			e.Note = value
		case layout.EntryAll:
			e.All = string(value) == layout.AllOfIt
		}
	}
	e.Previous = previousOf(e.At.Epoch, previous)
	return e
}

// previousOf reads the field that names the predecessor.
func previousOf(epoch layout.Epoch, text string) layout.Position {
	if seq, err := strconv.ParseUint(text, 10, 64); err == nil {
		return layout.Position{Epoch: epoch, Seq: seq}
	}
	p, _ := layout.ParsePosition(text) // of another owner; zero: there was none
	return p
}
