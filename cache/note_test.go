package cache

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

var inf = math.Inf(1)

func span(ge, lt float64) Span {
	return Span{Interval: table.Interval{GE: ge, LT: lt}, Loaded: time.Unix(1_800_000_000, 5).UTC()}
}

func noteOf(spans ...Span) held { return held{serial: 7, Coverage: Coverage{"at", spans}} }

// notes are some that a cache writes.
func notes() []held {
	invalid, old := span(2, 3), span(3, math.MaxFloat64)
	invalid.Invalid, old.Loaded = true, time.Time{}
	keyed := noteOf(span(math.Copysign(0, -1), 1))
	keyed.keys = true
	return []held{{}, {serial: math.MaxUint64}, noteOf(), keyed, noteOf(span(-inf, inf)), noteOf(span(1, 2), invalid, old, span(math.MaxFloat64, inf)),
		noteOf(span(1, math.Nextafter(1, 2)), span(5, 6))}
}

// bad returns notes that no cache writes.
func bad() map[string][]byte {
	changed := func(at int, b byte) []byte {
		h := noteOf(span(1, 2))
		note := h.encode()
		note[at] = b
		return note
	}
	spans := func(spans ...Span) []byte {
		h := noteOf(spans...)
		return h.encode()
	}
	nan := math.NaN()
	return map[string][]byte{
		"another version": changed(0, 2), "version 0": changed(0, 0), "keys are 2": changed(9, 2), "invalid is 255": changed(noteHead+2+24, 255),
		"a longer name": changed(11, 3), "a much longer name": changed(10, 3), "text": []byte("offset 17 of the log"), "one byte": {noteVersion},
		"cut short": spans(span(1, 2))[:30], "too long": append(spans(span(1, 2)), 0), "from NaN": spans(span(nan, 2)), "to NaN": spans(span(1, nan)),
		"reversed": spans(span(2, 1)), "empty": spans(span(2, 2)), "from +Inf": spans(span(inf, inf)), "unsorted": spans(span(3, 4), span(1, 2)),
		"overlapping": spans(span(1, 3), span(2, 4)), "twice": spans(span(1, 2), span(1, 2)),
	}
}

func TestANoteSaysWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, h := range notes() {
		got, err := decodeNote(h.encode())
		if err != nil || got.serial != h.serial || got.keys != h.keys || got.Index != h.Index || !slices.EqualFunc(got.Spans, h.Spans, sameSpan) {
			t.Errorf("got %+v, %v, want %+v", got, err, h)
		}
	}
	if h, err := decodeNote(nil); err != nil || len(h.Spans) > 0 {
		t.Errorf("no note is %+v, %v", h, err)
	}
}

// What no cache has written says nothing, not a part.
func TestANoteThatNoCacheHasWrittenIsRefused(t *testing.T) {
	t.Parallel()
	for name, note := range bad() {
		if h, err := decodeNote(note); err != errNote || h.serial != 0 || h.keys || h.Index != "" || len(h.Spans) > 0 {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// Whatever is joined so that it fits, or marked as invalid, can be read again.
func TestANoteOfManySpansCanBeRead(t *testing.T) {
	t.Parallel()
	for range 2000 {
		bounds := []float64{-inf, inf, math.MaxFloat64}
		for range rand.IntN(40) {
			bounds = append(bounds, rand.NormFloat64())
		}
		slices.Sort(bounds)
		var spans []Span
		for i := 1; i < len(bounds); i++ {
			if rand.IntN(3) > 0 {
				s := span(bounds[i-1], bounds[i])
				s.Invalid, s.Loaded = rand.IntN(2) == 0, s.Loaded.Add(time.Duration(rand.IntN(3)))
				spans = append(spans, s)
			}
		}
		invalid := setOf(table.Interval{GE: bounds[rand.IntN(len(bounds)-1)], LT: bounds[len(bounds)-1]})
		h := noteOf(atMost(1+rand.IntN(10), marked(tidy(spans), invalid))...)
		got, err := decodeNote(h.encode())
		if err != nil || !slices.EqualFunc(got.Spans, h.Spans, sameSpan) {
			t.Fatalf("%v is read as %v, %v", h.Spans, got.Spans, err)
		}
	}
}

// FuzzNote gives any bytes to the decoder. What it accepts is a coverage, and is encoded to the same bytes.
func FuzzNote(f *testing.F) {
	for _, h := range notes() {
		f.Add(h.encode())
	}
	for _, note := range bad() {
		f.Add(note)
	}
	f.Fuzz(func(t *testing.T, note []byte) {
		h, err := decodeNote(note)
		if err != nil || len(note) == 0 {
			return
		}
		if again := h.encode(); !bytes.Equal(again, note) {
			t.Errorf("%x is encoded as %x", note, again)
		}
		for i, s := range h.Spans {
			if s.Empty() || !s.Contains(s.GE) || i > 0 && h.Spans[i-1].LT > s.GE {
				t.Errorf("%v is no coverage", h.Spans)
			}
		}
		if set := h.intervals(); !slices.Equal(set, setOf(set...)) {
			t.Errorf("%v is no set, but %v", set, setOf(set...))
		}
	})
}

func sameSpan(a, b Span) bool {
	return a.Interval == b.Interval && a.Invalid == b.Invalid && a.Loaded.Equal(b.Loaded)
}
