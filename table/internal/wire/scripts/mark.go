package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// How says what a script must compare before it marks rows.
type How string

// The ways to mark.
const (
	MarkAll   How = "all"   // nothing: the table has not changed since the rows were read
	MarkKeys  How = "keys"  // nothing, but there must be a row with the key
	MarkSame  How = "same"  // each row with the one that was read
	MarkWhole How = "whole" // all rows in the intervals with those that were read there
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

// marks returns the call of a script that marks rows.
func marks(c *wire.Client, s *wire.Script, e *Effect) []any {
	how := HowToMark(e.Effect)
	args := numbered(c, s, e, 4+3*len(e.Marks)+3*len(e.Witnesses)+len(e.Bounds))
	args = append(args, string(how), len(e.Marks), e.Index+1, len(e.Witnesses))
	args = AppendKeys(args, e.Marks)
	if how == MarkSame || how == MarkWhole {
		args = appendRead(args, e.Marks)
	}
	if how == MarkWhole {
		args = appendRead(AppendKeys(args, e.Witnesses), e.Witnesses)
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

// appendRead appends the rows of marks as they were read, and then their scores.
func appendRead(args []any, marks []engine.Mark) []any {
	for i := range marks {
		args = append(args, &marks[i].Value)
	}
	for i := range marks {
		args = append(args, &marks[i].Score)
	}
	return args
}
