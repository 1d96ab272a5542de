package table

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// store is the engine's Store: one effect, one script or one transaction.
type store struct {
	*wire
	epoch string
	lane  lane
}

func newStore(w *wire, epoch string) *store {
	return &store{wire: w, epoch: epoch, lane: lane{wire: w, epoch: epoch}}
}

// close gives the lane's connection back. The engine has stopped.
func (s *store) close() { s.lane.drop() }

// Apply has the effect: on the lane where that can take it, else by a script.
func (s *store) Apply(ctx context.Context, e *engine.Effect) (engine.Result, error) {
	run := s.run
	if travels(e) && s.lane.open(ctx) {
		r, done, err := s.lane.transact(ctx, e)
		if done || err != nil {
			return r, refusal(err)
		}
		if s.lane.open(ctx) {
			run = s.lane.run
		}
	}
	a, err := run(ctx, s.call(e))
	if err != nil {
		return engine.Result{}, refusal(err)
	}
	return s.result(a)
}

// Settle asks whether the effect was had, and sees to it that it never will be if not.
func (s *store) Settle(ctx context.Context, e *engine.Effect) (engine.Result, bool, error) {
	a, err := s.run(ctx, s.numbered(&s.scripts.settle, e, 0))
	if err != nil {
		return engine.Result{}, false, err
	}
	if a.status == "BURNED" {
		return engine.Result{State: a.view.State, Generation: a.view.Generation, Version: a.view.Version}, false, nil
	}
	r, err := s.result(a)
	return r, err == nil, err
}

// refusal sorts out errors after which the effect was certainly not had.
func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrLost):
		return err
	case neverSent(err):
		return &engine.RefusedError{Err: err, Temporary: true}
	case isServerError(err) && isForeignType(err):
		return &engine.RefusedError{Err: fmt.Errorf("%w: a key has a foreign type: %w", ErrLost, err)}
	case isServerError(err):
		return &engine.RefusedError{Err: err, Temporary: temporary(err)}
	case errors.Is(err, redis.ErrClosed):
		return &engine.RefusedError{Err: err}
	}
	return err
}

func (s *store) result(a answer) (engine.Result, error) {
	if err := a.err(s.epoch); err != nil {
		return engine.Result{}, err
	}
	return engine.Result{
		State:      a.view.State,
		Generation: a.view.Generation,
		Version:    a.view.Version,
		Verdicts:   []engine.Verdict(a.last),
	}, nil
}

func (s *store) call(e *engine.Effect) []any {
	switch e.Kind {
	case engine.Put:
		return s.rows(&s.scripts.put, e)
	case engine.Stage:
		return s.rows(&s.scripts.stage, e)
	case engine.Delete:
		return s.marks(&s.scripts.delete, e)
	case engine.Discard:
		return s.marks(&s.scripts.discard, e)
	case engine.Merge:
		return s.numbered(&s.scripts.merge, e, 0)
	case engine.Abort:
		return s.numbered(&s.scripts.abort, e, 0)
	case engine.Clear:
		return s.numbered(&s.scripts.clear, e, 0)
	}
	panic(fmt.Sprintf("tablecache: effect of unknown kind %d", e.Kind))
}

// numbered starts the call of a numbered effect: epoch, prev, seq.
func (s *store) numbered(script *script, e *engine.Effect, n int) []any {
	args := s.command(script, 3+n)
	return append(args, &s.epoch, strconv.FormatUint(e.Prev, 10), strconv.FormatUint(e.Seq, 10))
}

// rows lays rows out so that the script only slices them: key, row ...; score, key ... for each index.
func (s *store) rows(script *script, e *engine.Effect) []any {
	args := s.numbered(script, e, 2+len(e.Rows)*2*(1+len(s.keys.merged)))
	args = append(args, len(e.Rows), widest(e.Rows))
	for i := range e.Rows {
		args = append(args, &e.Rows[i].Key, &e.Rows[i].Value)
	}
	for j := range s.keys.merged {
		for i := range e.Rows {
			args = append(args, &e.Rows[i].Scores[j], &e.Rows[i].Key)
		}
	}
	return args
}

// widest returns how many bytes the longest row has.
func widest(rows []engine.Row) (most int) {
	for i := range rows {
		most = max(most, len(rows[i].Value))
	}
	return most
}

func (s *store) marks(script *script, e *engine.Effect) []any {
	how, tomb := howToMark(e), tombstone(e)
	args := s.numbered(script, e, 5+3*len(e.Marks)+3*len(e.Witnesses)+len(e.Bounds))
	args = append(args, how, len(e.Marks), e.Index+1, &tomb, len(e.Witnesses))
	args = appendKeys(args, e.Marks)
	if how == "same" || how == "whole" {
		args = appendSeen(args, e.Marks)
	}
	if how == "whole" {
		args = appendSeen(appendKeys(args, e.Witnesses), e.Witnesses)
		for i := range e.Bounds {
			args = append(args, &e.Bounds[i])
		}
	}
	return args
}

func tombstone(e *engine.Effect) engine.Bytes {
	return binary.BigEndian.AppendUint32(nil, e.Generation+1)
}

func appendKeys(args []any, marks []engine.Mark) []any {
	for i := range marks {
		args = append(args, &marks[i].Key)
	}
	return args
}

func appendSeen(args []any, marks []engine.Mark) []any {
	for i := range marks {
		args = append(args, &marks[i].Value)
	}
	for i := range marks {
		args = append(args, &marks[i].Score)
	}
	return args
}

// howToMark tells the script what it must look at: nothing when the marks were made of what is
// still there; else what was seen of each, or of all; or whether a key exists.
func howToMark(e *engine.Effect) string {
	switch {
	case len(e.Marks) > 0 && e.Marks[0].Value == nil:
		return "keys"
	case !e.Compare:
		return "all"
	case len(e.Bounds) > 0:
		return "whole"
	default:
		return "same"
	}
}
