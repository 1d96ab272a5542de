package cache

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// held is what the note says: what the table holds of its source.
type held struct {
	serial uint64 // of this note alone
	keys   bool   // records of some keys are invalid, wherever they are
	form   uint64 // of the definition under which the records were stored: its Fingerprint
	Coverage
}

// The note: version, serial, flags, length of the index's name, form, the name, and the spans, 25 bytes each.
const (
	noteVersion = 1
	noteHead    = 1 + 8 + 1 + 2 + 8
	spanLength  = 8 + 8 + 8 + 1
	noteLimit   = 64 << 10
)

// errNote: the note is not of a cache.
var errNote = errors.New("tablecache: the table's note was not written by a cache")

// fit joins spans until they fit a note.
func (h *held) fit() { h.Spans = atMost((noteLimit-noteHead-len(h.Index))/spanLength, h.Spans) }

// under returns what is held as a definition of a form sees it. Where that is another one, attributes may be absent in what is stored, or scores may
// be others: so nothing of it was loaded yet.
func (h held) under(form uint64) held {
	if h.form == form {
		return h
	}
	h.Spans = slices.Clone(h.Spans)
	for i := range h.Spans {
		h.Spans[i].Loaded = time.Time{}
	}
	return h
}

func (h *held) encode() []byte {
	b := make([]byte, 0, noteHead+len(h.Index)+len(h.Spans)*spanLength)
	b = binary.BigEndian.AppendUint64(append(b, noteVersion), h.serial)
	b = binary.BigEndian.AppendUint16(append(b, flag(h.keys)), uint16(len(h.Index)))
	b = binary.BigEndian.AppendUint64(b, h.form)
	b = append(b, h.Index...)
	for _, s := range h.Spans {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.GE))
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.LT))
		b = append(binary.BigEndian.AppendUint64(b, uint64(nanosOf(s.Loaded))), flag(s.Invalid))
	}
	return b
}

// decodeNote returns what a note says. No note says that nothing is held. What encode would not have written is refused, all of it: it
// comes from somebody else.
func decodeNote(b []byte) (held, error) {
	if len(b) == 0 {
		return held{}, nil
	}
	if len(b) < noteHead || b[0] != noteVersion || b[9] > 1 {
		return held{}, errNote
	}
	h := held{serial: binary.BigEndian.Uint64(b[1:]), keys: b[9] == 1, form: binary.BigEndian.Uint64(b[12:])}
	name := int(binary.BigEndian.Uint16(b[10:]))
	b = b[noteHead:]
	if len(b) < name || (len(b)-name)%spanLength != 0 {
		return held{}, errNote
	}
	h.Index = string(b[:name])
	for b, end := b[name:], math.Inf(-1); len(b) > 0; b = b[spanLength:] {
		s := decodeSpan(b)
		if b[24] > 1 || !(end <= s.GE && s.GE < s.LT) { // one of them may be NaN
			return held{}, errNote
		}
		h.Spans, end = append(h.Spans, s), s.LT
	}
	return h, nil
}

func decodeSpan(b []byte) Span {
	return Span{
		Interval: table.Interval{
			GE: math.Float64frombits(binary.BigEndian.Uint64(b)),
			LT: math.Float64frombits(binary.BigEndian.Uint64(b[8:])),
		},
		Loaded:  timeOf(int64(binary.BigEndian.Uint64(b[16:]))),
		Invalid: b[24] == 1,
	}
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// nanosOf returns a time as nanoseconds; 0 for no time.
func nanosOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
