package stress

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/tablecache-go/tablecache/internal/model"
)

// keys is how many records the table of a history has at most.
const keys = 8

// linearState is the whole table. Nobody changes it: each step leads to another one.
type linearState struct {
	*model.Table[Item]
	over  bool // everybody has had an answer
	space *stateSpace
}

// writing says whether regular writes wait for a scratch session.
type writing int

const (
	writesWait writing = iota
	writesThrough
)

type verb uint8

// Up to merge: verbs whose caller may leave before it knows the outcome.
const (
	put verb = iota
	deleteKeys
	stage
	abort
	merge
	deleteRange
	discard
	readAll
	lookup
	count
	end // of the history
)

func (v verb) String() string {
	return [...]string{"put", "delete keys", "stage", "abort", "merge", "delete", "discard", "read", "lookup", "count", "end"}[v]
}

// request is what a client asks: of the keys from low up to, but not, high.
type request struct {
	number    int // in its history
	verb      verb
	low, high int
	version   int64
	index     string
}

// response is what it was told. The outcome of some writes it does not know.
type response struct {
	unknown bool
	n       int
	seen    []Item // in their order
}

// linearModel is the reference model of a table that holds these items, as porcupine wants it.
func linearModel(through writing, start ...Item) porcupine.Model {
	return porcupine.Model{
		Init: func() any {
			first := newModel()
			first.Through = through == writesThrough
			first.Put(start...)
			space := &stateSpace{make(map[versions]*linearState), make(map[linearStep]*linearState)}
			return space.canonical(linearState{Table: first, space: space})
		},
		Step: func(state, input, output any) (bool, any) {
			next := state.(*linearState).next(input.(request), output.(response))
			return next != nil, next
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

// step does what is asked, and tells whether that is what was answered.
func (s linearState) step(in request, out response) (legal bool, next linearState) {
	switch in.verb {
	case readAll:
		return slices.Equal(out.seen, s.Read(in.all())), s
	case lookup:
		return slices.Equal(out.seen, s.Lookup(in.keys()...)), s
	case count:
		return out.n == s.Count(in.part()), s
	case end:
		s.over = true
		return true, s
	}
	return s.write(in, out)
}

// write is a step that changes the table. A write whose outcome is unknown has changed something, or else it comes after
// the end: so the checker need not try where else it may have done nothing.
func (s linearState) write(in request, out response) (legal bool, next linearState) {
	if out.unknown && s.over {
		return true, s
	}
	next = s
	next.Table = s.Clone()
	legal = next.do(in, out) && !(out.unknown && next.sameAs(s))
	return legal, next
}

func (s linearState) sameAs(o linearState) bool {
	return s.SameRows(o.Table) && s.State == o.State && slices.Equal(s.WrittenThrough(), o.WrittenThrough())
}

func (s *linearState) do(in request, out response) bool {
	switch in.verb {
	case put:
		return s.put(in)
	case deleteKeys:
		n := len(s.Lookup(in.keys()...))
		return (s.Through || s.mayDelete(n)) && (out.unknown || out.n == n) && s.DeleteKeys(in.keys()...) == n
	case deleteRange:
		found := s.Read(in.part())
		return s.mayDelete(len(found)) && slices.Equal(out.seen, found) && len(s.Delete(in.part())) == len(found)
	case stage:
		s.Stage(in.items()...)
	case abort:
		s.Abort()
	case merge: // the fold changes no answer
		s.Merge()
		s.Fold()
	case discard: // sees what a merge now would show (D8)
		return slices.Equal(out.seen, s.Discard(in.part()))
	}
	return true
}

// put waits while something is staged (D2), unless it is written through (W1).
func (s *linearState) put(in request) bool {
	if s.State != model.StateClear && !s.Through {
		return false
	}
	s.Put(in.items()...)
	return true
}

// mayDelete: a delete waits while something is staged, unless it has found nothing to delete.
func (s *linearState) mayDelete(found int) bool { return found == 0 || s.State == model.StateClear }

// complete numbers the requests of a history and adds its end, behind all operations but those that have none.
func complete(history []porcupine.Operation) []porcupine.Operation {
	last := int64(0)
	for n, op := range history {
		in := op.Input.(request)
		in.number = n + 1
		history[n].Input = in
		if op.Return != math.MaxInt64 {
			last = max(last, op.Return)
		}
	}
	return append(history, porcupine.Operation{Input: request{verb: end}, Call: last + 1, Output: response{}, Return: last + 2})
}

// do asks the table.
func (c *client) do(ctx context.Context, in request) (out response, err error) {
	part := c.tbl.Range("a", float64(in.low), float64(in.high))
	switch in.verb {
	case put:
		return out, c.tbl.Put(ctx, in.items()...)
	case deleteKeys:
		out.n, err = c.tbl.DeleteKeys(ctx, in.keys()...)
		return out, err
	case deleteRange:
		return gather(c.tbl.DeleteSeq(ctx, part))
	case stage:
		return out, c.tbl.ScratchPut(ctx, in.items()...)
	case discard:
		return gather(c.tbl.ScratchDiscardSeq(ctx, part))
	case merge:
		return out, c.tbl.ScratchMerge(ctx)
	case abort:
		return out, c.tbl.ScratchAbort(ctx)
	case readAll:
		return gather(c.tbl.Records(ctx, c.tbl.All(in.index)))
	case lookup:
		return gather(c.tbl.Lookup(ctx, in.keys()...))
	}
	out.n, err = c.tbl.Count(ctx, part)
	return out, err
}

// items are the records to write.
func (in request) items() (all []Item) {
	for k := in.low; k < in.high; k++ {
		all = append(all, itemOf(k, in.version))
	}
	return all
}

// itemOf is a version of a record: one score stays, the other moves.
func itemOf(k int, version int64) Item {
	return Item{Key: strconv.Itoa(k), Version: version, A: float64(k), B: float64(version * int64(k+1) % 5)}
}

// part and all are the specs of what is read.
func (in request) part() model.Spec[Item] {
	return model.Spec[Item]{Index: "a", Intervals: []model.Interval{{GE: float64(in.low), LT: float64(in.high)}}}
}

func (in request) all() model.Spec[Item] {
	return model.Spec[Item]{Index: in.index, Intervals: []model.Interval{model.Everything()}}
}

func (in request) keys() (all []string) {
	for k := in.low; k < in.high; k++ {
		all = append(all, strconv.Itoa(k))
	}
	return all
}

func gather(seq iter.Seq2[Item, error]) (out response, err error) {
	for i, err := range seq {
		if err != nil {
			return out, err
		}
		out.seen = append(out.seen, i)
	}
	out.n = len(out.seen)
	return out, nil
}

// The model tells histories that a table can have from those that it cannot.
func TestTheLinearModelSees(t *testing.T) {
	first, second := request{verb: put, high: 2, version: 1}, request{verb: put, high: 2, version: 2}
	read := request{verb: readAll, index: "a"}
	staged := request{verb: stage, high: 1, version: 3}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    porcupine.CheckResult
	}{
		"what was put":           {in(first, response{}, read, seen(1, 1)), porcupine.Ok},
		"a lost put":             {in(first, response{}, second, response{}, read, seen(1, 1)), porcupine.Illegal},
		"a torn put":             {in(first, response{}, second, response{}, read, seen(1, 2)), porcupine.Illegal},
		"an unknown put, had":    {in(first, response{unknown: true}, read, seen(1, 1)), porcupine.Ok},
		"an unknown put, or not": {in(first, response{unknown: true}, read, seen(0, 0)), porcupine.Ok},
		"half an unknown put":    {in(first, response{unknown: true}, read, seen(1, 0)), porcupine.Illegal},
		"an order that is not":   {in(first, response{}, read, response{seen: []Item{itemOf(1, 1), itemOf(0, 1)}}), porcupine.Illegal},
		"a score of before": {in(first, response{}, read, response{seen: []Item{itemOf(0, 1),
			{Key: "1", Version: 1, A: 1, B: itemOf(1, 2).B}}}), porcupine.Illegal},
		"a key that came twice": {in(first, response{}, read, response{seen: []Item{itemOf(0, 1), itemOf(0, 1), itemOf(1, 1)}}),
			porcupine.Illegal},
		"staged and seen":   {in(staged, response{}, read, seen(3, 0)), porcupine.Illegal},
		"put while staged":  {in(staged, response{}, first, response{}, read, seen(1, 1)), porcupine.Illegal},
		"merged":            {in(staged, response{}, request{verb: merge}, response{}, read, seen(3, 0)), porcupine.Ok},
		"aborted, but seen": {in(staged, response{}, request{verb: abort}, response{}, read, seen(3, 0)), porcupine.Illegal},
		"discarded": {in(first, response{}, request{verb: discard, high: 1}, seen(1, 0), request{verb: merge}, response{},
			read, seen(0, 1)), porcupine.Ok},
		"discarded, but back": {in(first, response{}, request{verb: discard, high: 1}, seen(1, 0), request{verb: merge}, response{},
			read, seen(1, 1)), porcupine.Illegal},
	} {
		if got := porcupine.CheckOperationsTimeout(linearModel(writesWait), c.history, checkTimeout); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// So does the model of a table whose regular writes go through.
func TestTheLinearModelSeesWritesThrough(t *testing.T) {
	put, read := request{verb: put, high: 1, version: 1}, request{verb: readAll, index: "a"}
	staged, merge := request{verb: stage, high: 2, version: 3}, request{verb: merge}
	gone := request{verb: deleteKeys, high: 1}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    porcupine.CheckResult
	}{
		"put while staged":      {in(staged, response{}, put, response{}, read, seen(1, 0)), porcupine.Ok},
		"and merged":            {in(staged, response{}, put, response{}, merge, response{}, read, seen(1, 3)), porcupine.Ok},
		"but overwritten":       {in(staged, response{}, put, response{}, merge, response{}, read, seen(3, 3)), porcupine.Illegal},
		"staged again":          {in(staged, response{}, put, response{}, staged, response{}, merge, response{}, read, seen(1, 3)), porcupine.Ok},
		"deleted":               {in(staged, response{}, gone, response{}, merge, response{}, read, seen(0, 3)), porcupine.Ok},
		"deleted, but back":     {in(staged, response{}, gone, response{}, merge, response{}, read, seen(3, 3)), porcupine.Illegal},
		"discarded, but there":  {in(staged, response{}, put, response{}, request{verb: discard, high: 1}, seen(1), read, seen(1)), porcupine.Illegal},
		"not discarded":         {in(staged, response{}, put, response{}, request{verb: discard, high: 2}, seen(0, 3), merge, response{}, read, seen(1)), porcupine.Ok},
		"aborted":               {in(staged, response{}, put, response{}, request{verb: abort}, response{}, read, seen(1)), porcupine.Ok},
		"sweeps wait":           {in(put, response{}, staged, response{}, request{verb: deleteRange, high: 1}, seen(1)), porcupine.Illegal},
		"forgotten by the next": {in(staged, response{}, put, response{}, merge, response{}, staged, response{}, merge, response{}, read, seen(3, 3)), porcupine.Ok},
	} {
		if got := porcupine.CheckOperationsTimeout(linearModel(writesThrough), c.history, checkTimeout); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// in makes a history of requests and responses, one after the other; what is unknown may come later.
func in(all ...any) (history []porcupine.Operation) {
	for k := 0; k < len(all); k += 2 {
		op := porcupine.Operation{Input: all[k], Call: int64(k), Output: all[k+1], Return: int64(k + 1)}
		if op.Output.(response).unknown {
			op.Return = math.MaxInt64
		}
		history = append(history, op)
	}
	return complete(history)
}

// seen is an answer with these versions of the first keys; 0 is none.
func seen(all ...int64) (out response) {
	for k, v := range all {
		if v != 0 {
			out.seen = append(out.seen, itemOf(k, v))
		}
	}
	out.n = len(out.seen)
	return out
}
