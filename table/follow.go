package table

import (
	"bytes"
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// Follower is told by Follow what a table holds and everything that happens to it. Follow calls its methods from one goroutine, one
// after another; while a method runs nothing else is read. An error of a method ends Follow with it, a panic with ErrPanic.
//
// First comes a copy: BeginCopy, CopyRows for all rows in several calls, and Apply for what happens meanwhile. After InStep all that
// was told, one call after another, makes the table as it stood at that position. From then on come groups of Apply, each followed by
// InStep. Between BeginCopy and InStep, and between Apply and InStep, what was told is the table at no moment, and the scores of a row may
// be those of a later version of it: do not show it. Where
// the feed has a gap a new copy begins, which replaces all that was told before, the scratch session too.
type Follower[R any, K comparable] interface {
	// BeginCopy says that a copy begins. What the follower has shown it may go on showing until InStep.
	BeginCopy() error
	// CopyRows brings rows of a copy. A key may come more than once, also after an Apply: the last one counts.
	CopyRows(rows []Row[R, K]) error
	// Apply brings one effect.
	Apply(e Effect[R, K]) error
	// InStep says that what was told is the table as it stood at p.
	InStep(p Position) error
	// Proven says that what was told includes all that the server had acknowledged at that time, by the clock of this process.
	Proven(at time.Time) error
}

// Row is a record as it is stored. Record, Key and Scores belong to the follower; KeyBytes and Contents are only valid during the call.
type Row[R any, K comparable] struct {
	Key      K
	Record   R
	Err      error     // a *CodingError: key or record could not be decoded, and are zero
	Scores   []float64 // in the order of the definition's indexes
	KeyBytes []byte    // the encoded key: rows with equal scores are in the order of these
	Contents []byte    // the encoded attributes: rows with equal contents are equal
}

// Effect is one change of a table.
type Effect[R any, K comparable] struct {
	Kind EffectKind
	At   Position    // the table after it
	Rows []Row[R, K] // of Put and Stage; of Delete and Discard with key and KeyBytes alone
}

// EffectKind says what an Effect changes.
type EffectKind int

// The kinds of effects. Stage and Discard change nothing that readers see, until a Merge shows all of them at once or an Abort drops
// them.
const (
	EffectPut     EffectKind = iota // rows were put
	EffectDelete                    // the rows with these keys were deleted
	EffectStage                     // rows were put into the scratch space
	EffectDiscard                   // these keys were discarded in the scratch space
	EffectMerge                     // what is staged has become visible
	EffectAbort                     // what is staged was dropped
	EffectClear                     // all rows, and what is staged, were dropped
)

var effectKinds = [...]string{"put", "delete", "stage", "discard", "merge", "abort", "clear"}

// String returns the name of the kind.
func (k EffectKind) String() string {
	if k < 0 || int(k) >= len(effectKinds) {
		return "unknown"
	}
	return effectKinds[k]
}

// Follow copies the table that def describes to a Follower, and then tells it everything that happens to the table, in order, until
// ctx ends or an error comes that waiting cannot cure. It returns that error; it never returns nil. It changes no byte in Redis,
// makes no writer wait, and goes on while the table has no owner.
//
// It reads the change feed through a connection of its own. After a gap in the feed, a session whose rows were too many for the feed,
// a repair, or a fail-over to an older copy it copies the table anew; while Redis is away it tries again with pauses. It returns
// ErrNoTable where there is no table at first (see WithWait; later it waits until there is one again), ErrNoFeed if the owner keeps no
// feed, ErrSchemaMismatch if the table is not what def describes, what the follower has returned, and refusals that do not pass.
// Indexes of def may have no score function.
//
// Of the options it takes WithLogger, WithPageBytes, WithProofEvery and WithWait.
func Follow[R any, K comparable](ctx context.Context, rdb redis.UniversalClient, def Definition[R, K], to Follower[R, K], opts ...Option) error {
	r, err := OpenReader(ctx, rdb, def, opts...)
	if err != nil {
		return err
	}
	defer r.leave(ctx)
	s := &sink[R, K]{decoder: r.decoder(), to: to, indexes: len(def.Indexes)}
	return r.errorf("follow", r.reader.Follow(ctx, s.indexes, resolve(opts).proofEvery, s))
}

// sink decodes what it is told for a follower.
type sink[R any, K comparable] struct {
	*decoder[R, K]
	to      Follower[R, K]
	indexes int
}

var _ scan.Sink = (*sink[int, int])(nil)

func (s *sink[R, K]) BeginCopy() error { return caught(s.to.BeginCopy) }

func (s *sink[R, K]) Copied(c *scan.CopiedRows) error {
	rows := make([]Row[R, K], len(c.Keys))
	scores := make([]float64, len(c.Keys)*s.indexes)
	for i, key := range c.Keys {
		own := scores[i*s.indexes : (i+1)*s.indexes : (i+1)*s.indexes]
		for j := range own {
			score, err := layout.ParseScore(string(c.Scores[j][i]))
			if err != nil {
				return ErrLost
			}
			own[j] = score
		}
		rows[i] = s.row(key, c.Rows[i], own)
	}
	return caught(func() error { return s.to.CopyRows(rows) })
}

func (s *sink[R, K]) InStep(at layout.Position) error {
	return caught(func() error { return s.to.InStep(Position{at}) })
}

func (s *sink[R, K]) Proven(at time.Time) error {
	return caught(func() error { return s.to.Proven(at) })
}

func (s *sink[R, K]) Apply(e *feed.Entry) error {
	effect := Effect[R, K]{Kind: effectKindOf(e.Kind), At: Position{e.At}}
	var err error
	switch effect.Kind {
	case EffectPut, EffectStage:
		effect.Rows, err = s.rowsOf(e)
	case EffectDelete, EffectDiscard:
		effect.Rows, err = s.keysOf(e)
	}
	if err != nil {
		return err
	}
	return caught(func() error { return s.to.Apply(effect) })
}

// caught calls f, and returns a panic as ErrPanic.
func caught(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return f()
}

func effectKindOf(k layout.Kind) EffectKind {
	switch k {
	case layout.KindPut:
		return EffectPut
	case layout.KindDelete:
		return EffectDelete
	case layout.KindStage:
		return EffectStage
	case layout.KindDiscard:
		return EffectDiscard
	case layout.KindMerge:
		return EffectMerge
	case layout.KindAbort, layout.KindClaim:
		return EffectAbort
	}
	return EffectClear
}

func (s *sink[R, K]) rowsOf(e *feed.Entry) ([]Row[R, K], error) {
	found, err := e.Rows(s.indexes)
	if err != nil {
		return nil, err
	}
	rows := make([]Row[R, K], len(found))
	scores := make([]float64, len(found)*s.indexes)
	for i, f := range found {
		own := scores[i*s.indexes : (i+1)*s.indexes : (i+1)*s.indexes]
		for j := range own {
			own[j] = f.Score(j)
		}
		rows[i] = s.row(f.Key, f.Row, own)
	}
	return rows, nil
}

func (s *sink[R, K]) keysOf(e *feed.Entry) ([]Row[R, K], error) {
	keys, err := e.Keys()
	if err != nil {
		return nil, err
	}
	rows := make([]Row[R, K], len(keys))
	for i, key := range keys {
		rows[i].KeyBytes = key
		rows[i].Key, rows[i].Err = s.decodeKey(key)
	}
	return rows, nil
}

// row decodes a row. Its record gets memory of its own.
func (s *sink[R, K]) row(key, row []byte, scores []float64) Row[R, K] {
	r := Row[R, K]{Scores: scores, KeyBytes: key}
	r.Contents, _ = layout.Attributes(row)
	if r.Key, r.Err = s.decodeKey(key); r.Err == nil {
		r.Err = s.decode(key, bytes.Clone(row))
		r.Record = s.record
	}
	return r
}
