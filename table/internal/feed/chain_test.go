package feed

import (
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Entries stand on each other only if owner and number are those of the one before. An owner's counter does not name it: a server that
// has lost its data gives the same one out again (F2).
func TestF4_AnEntryStandsOnItsPredecessorAlone(t *testing.T) {
	t.Parallel()
	const other = layout.Epoch("7:fedcba9876543210")
	at := func(e layout.Epoch, seq uint64) layout.Position { return layout.Position{Epoch: e, Seq: seq} }
	entry := func(e layout.Epoch, seq uint64) Entry { return Entry{At: at(e, seq), Previous: at(e, seq-1)} }
	claim := Entry{At: at("8:0123456789abcdef", 9), Previous: at(epoch, 8)}
	for _, c := range []struct {
		what    string
		entries []Entry
		isGap   bool
	}{
		{"no entry", nil, false},
		{"one after another", []Entry{entry(epoch, 7), entry(epoch, 8), claim}, false},
		{"the first is missing", []Entry{entry(epoch, 8)}, true},
		{"one is missing", []Entry{entry(epoch, 7), claim}, true},
		{"one comes again", []Entry{entry(epoch, 6), entry(epoch, 7)}, true},
		{"another owner with the same counter", []Entry{entry(other, 7)}, true},
		{"later another owner with the same counter", []Entry{entry(epoch, 7), entry(other, 8)}, true},
		{"nobody was before", []Entry{{At: at(epoch, 7)}}, true},
	} {
		if err := Link(at(epoch, 6), c.entries); errors.Is(err, ErrGap) != c.isGap || (err != nil) != c.isGap {
			t.Errorf("%s: got %v", c.what, err)
		}
	}
}

// TestF4_WhatNobodyHereKnowsIsNotTold: followers copy anew behind an entry of a later version.
func TestF4_WhatNobodyHereKnowsIsNotTold(t *testing.T) {
	t.Parallel()
	for kind, told := range map[layout.Kind]bool{layout.KindMerge: true, layout.KindClaim: true, layout.KindRepair: false, "to come": false} {
		if e := (Entry{Kind: kind}); e.IsTold() != told {
			t.Errorf("%s: got %t", kind, !told)
		}
	}
}
