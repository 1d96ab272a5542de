package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// How says what a script that marks rows must compare.
type How string

// The ways to mark.
const (
	MarkAll   How = "all"   // nothing: the marks were made of what is still there
	MarkKeys  How = "keys"  // whether there is a row with the key
	MarkSame  How = "same"  // each row with what was seen of it
	MarkWhole How = "whole" // all that lies in the intervals with what was seen there
)

// HowToMark returns what must be compared for e.
func HowToMark(e *engine.Effect) How {
	switch {
	case len(e.Marks) > 0 && e.Marks[0].Value == nil:
		return MarkKeys
	case !e.Compare:
		return MarkAll
	case len(e.Bounds) > 0:
		return MarkWhole
	default:
		return MarkSame
	}
}

// marks is the call of a script that marks rows.
func marks(c *wire.Client, s *wire.Script, e *Effect) []any {
	how, tomb := HowToMark(e.Effect), engine.Bytes(layout.Tombstone(e.Generation+1))
	args := numbered(c, s, e, 5+3*len(e.Marks)+3*len(e.Witnesses)+len(e.Bounds))
	args = append(args, string(how), len(e.Marks), e.Index+1, &tomb, len(e.Witnesses))
	args = AppendKeys(args, e.Marks)
	if how == MarkSame || how == MarkWhole {
		args = appendSeen(args, e.Marks)
	}
	if how == MarkWhole {
		args = appendSeen(AppendKeys(args, e.Witnesses), e.Witnesses)
		for i := range e.Bounds {
			args = append(args, &e.Bounds[i])
		}
	}
	return args
}

// AppendKeys appends the keys of marks.
func AppendKeys(args []any, marks []engine.Mark) []any {
	for i := range marks {
		args = append(args, &marks[i].Key)
	}
	return args
}

// appendSeen appends the rows of marks as they were seen, and then their scores.
func appendSeen(args []any, marks []engine.Mark) []any {
	for i := range marks {
		args = append(args, &marks[i].Value)
	}
	for i := range marks {
		args = append(args, &marks[i].Score)
	}
	return args
}
