package stress

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strconv"
	"testing"

	"github.com/anishathalye/porcupine"
)

// keys is how many records the table of a history has at most.
const keys = 8

// contents is a version for each key; 0 is none.
type contents [keys]int32

const tombstone = -1

// linearState is the whole table, as one value that can be compared.
type linearState struct {
	rows, staged contents
	over         bool // everybody has had an answer
}

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
	verb      verb
	low, high int
	version   int32
	index     string
}

// response is what it was told. The outcome of some writes it does not know.
type response struct {
	unknown bool
	n       int
	seen    contents
}

var linearModel = porcupine.Model{
	Init: func() any { return linearState{} },
	Step: func(state, input, output any) (bool, any) {
		s := state.(linearState)
		legal := s.step(input.(request), output.(response))
		return legal, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

func (s *linearState) active() bool { return s.staged != contents{} }

// step does what is asked, and tells whether that is what was answered. A write whose outcome is unknown has changed
// something, or else it comes after the end: so the checker need not try where else it may have done nothing.
func (s *linearState) step(in request, out response) bool {
	if !out.unknown {
		return s.known(in, out)
	}
	if s.over {
		return true
	}
	before := *s
	return s.known(in, out) && *s != before
}

func (s *linearState) known(in request, out response) bool {
	switch in.verb {
	case put: // waits while something is staged (D2)
		s.rows.fill(in)
		return !s.active()
	case deleteKeys, deleteRange:
		return s.delete(in, out)
	case stage:
		s.staged.fill(in)
	case abort:
		s.staged = contents{}
	case merge:
		s.merge()
	case discard:
		return s.discard(in, out)
	case count:
		return s.rows.within(in).count() == out.n
	case readAll:
		return out.seen == s.rows
	case lookup:
		return out.seen == s.rows.within(in)
	case end:
		s.over = true
	}
	return true
}

// delete waits as put does, unless it has found nothing to delete.
func (s *linearState) delete(in request, out response) bool {
	there := s.rows.within(in)
	if s.active() && there.count() > 0 {
		return false
	}
	if !out.unknown && (there.count() != out.n || in.verb == deleteRange && there != out.seen) {
		return false
	}
	for k := in.low; k < in.high; k++ {
		s.rows[k] = 0
	}
	return true
}

func (s *linearState) preview() contents {
	all := s.rows
	for k, v := range s.staged {
		if v != 0 {
			all[k] = max(v, 0)
		}
	}
	return all
}

func (s *linearState) merge() { s.rows, s.staged = s.preview(), contents{} }

// discard sees what a merge now would show (D8).
func (s *linearState) discard(in request, out response) bool {
	there := s.preview().within(in)
	if there != out.seen {
		return false
	}
	for k, v := range there {
		if v != 0 {
			s.staged[k] = tombstone
		}
	}
	return true
}

func (c *contents) fill(in request) {
	for k := in.low; k < in.high; k++ {
		c[k] = in.version
	}
}

func (c contents) within(in request) (part contents) {
	copy(part[in.low:in.high], c[in.low:in.high])
	return part
}

func (c contents) count() (n int) {
	for _, v := range c {
		if v != 0 {
			n++
		}
	}
	return n
}

// complete adds the end to a history: behind all operations but those that have none.
func complete(history []porcupine.Operation) []porcupine.Operation {
	last := int64(0)
	for _, op := range history {
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

// items are the records to write: one score stays, the other moves.
func (in request) items() (all []Item) {
	for k := in.low; k < in.high; k++ {
		all = append(all, Item{Key: strconv.Itoa(k), Version: int64(in.version), A: float64(k), B: float64(int(in.version) * (k + 1) % 5)})
	}
	return all
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
		k, _ := strconv.Atoi(i.Key)
		if out.seen[k] != 0 {
			return out, fmt.Errorf("key %d came twice", k)
		}
		out.seen[k] = int32(i.Version)
		out.n++
	}
	return out, nil
}

// The model tells histories that a table can have from those that it cannot.
func TestTheLinearModelSees(t *testing.T) {
	first, second := request{verb: put, high: 2, version: 1}, request{verb: put, high: 2, version: 2}
	read := request{verb: readAll}
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
		"staged and seen":        {in(staged, response{}, read, seen(3, 0)), porcupine.Illegal},
		"put while staged":       {in(staged, response{}, first, response{}, read, seen(1, 1)), porcupine.Illegal},
		"merged":                 {in(staged, response{}, request{verb: merge}, response{}, read, seen(3, 0)), porcupine.Ok},
		"aborted, but seen":      {in(staged, response{}, request{verb: abort}, response{}, read, seen(3, 0)), porcupine.Illegal},
		"discarded": {in(first, response{}, request{verb: discard, high: 1}, seen(1, 0), request{verb: merge}, response{},
			read, seen(0, 1)), porcupine.Ok},
		"discarded, but back": {in(first, response{}, request{verb: discard, high: 1}, seen(1, 0), request{verb: merge}, response{},
			read, seen(1, 1)), porcupine.Illegal},
	} {
		if got := porcupine.CheckOperationsTimeout(linearModel, c.history, checkTimeout); got != c.want {
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

func seen(versions ...int32) (out response) {
	out.n = copy(out.seen[:], versions)
	return out
}
