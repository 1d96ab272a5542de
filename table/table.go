package table

import (
	"fmt"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/engine"
)

// Table is an open table. It is safe for concurrent use. Get one with Open, end it with Close.
type Table[R any, K comparable] struct {
	def         Definition[R, K]
	opts        options
	keeps       bool // records share the memory of their rows
	log         *zap.Logger
	wire        *wire
	epoch       string // this owner's name in Redis
	actor       *engine.Actor
	effects     *store
	reader      *reader
	memory      *budget
	rowBytes    average      // of rows that were read
	sentBytes   average      // of rows that were encoded, with key and scores
	answerBytes average      // of pages that scripts have answered with
	widest      atomic.Int64 // no row has more bytes, as far as was seen
	folds       folds
	streams     tasks  // pumps, Stream producers and pages read ahead
	release     func() // gives the shared pool back
	closing     sync.Once
}

// Name returns the table's name.
func (t *Table[R, K]) Name() string { return t.def.Name }

// All returns the spec of all records in the order of an index.
func (t *Table[R, K]) All(index string) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{Everything()}}
}

// Range returns the spec of the records whose score in an index is at least ge and less than lt.
func (t *Table[R, K]) Range(index string, ge, lt float64) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{{GE: ge, LT: lt}}}
}

// Close ends the table in this process: calls that wait end with ErrClosed, reads under way
// likewise, and all its goroutines stop. What is stored stays; what is only staged will be
// dropped by the next Open. Close waits for the effect and the socket reads under way, at most
// two read time-outs of the client. It may be called more than once, but not from a function
// that the table calls (codec, score, predicate). The client is not closed. The error is nil.
func (t *Table[R, K]) Close() error {
	t.closing.Do(func() {
		t.folds.stop()
		t.actor.Close()
		t.effects.close()
		t.reader.stop()
		t.streams.wait()
		t.release()
	})
	return nil
}

func (t *Table[R, K]) errorf(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("table %s: %s: %w", t.def.Name, what, err)
}

// pool returns where the table folds, and how to give it back.
func (o *options) cleanupPool() (*cleanup.Pool, func()) {
	if o.pool != nil {
		return o.pool, func() {}
	}
	return cleanup.Acquire()
}
