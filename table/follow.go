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

// Follower is told by Follow what a table holds and everything that happens to it. Implement it to keep something else in step with a
// table: a search index, an aggregate, the clients of a websocket. Follow calls its methods from one goroutine, one after another,
// and reads on when they have returned: a slow follower falls behind, and where the feed has forgotten what comes next, it is told
// of a new copy. An error of a method ends Follow with that error, a panic with ErrPanic.
//
// The calls come in this order:
//
//	BeginCopy, (CopyRows | Apply)..., InStep    the whole table; the first Apply is an EffectNote
//	(Apply..., InStep)...                       what happens then
//
// and again from BeginCopy on after a gap, also within a copy. Behind an InStep may come Proven, again and again. A follower keeps the
// rows that readers see, and apart from them what is staged. It publishes what it has in InStep and nowhere else: only then what was
// told, one call after another, is the table at one moment. Before, a row may be of a later moment than others, and its scores of a
// later one than its record; a key may have been told that is gone already, or may be deleted that was never told.
//
// Where the owner has WithWriteThrough, a put, a delete or an apply may come while rows are kept apart: it takes its keys out of these,
// so that a merge does not undo it. Otherwise nothing is kept apart then, so a follower does so in any case.
//
// A merge comes only after all that it shows. Where not all that was staged fits the feed, Follow drops what it has told of the session
// with an EffectAbort, and begins a new copy after the merge.
type Follower[R any, K comparable] interface {
	// BeginCopy says that a copy begins: forget all rows, and what is staged. What was published may stay so until InStep.
	BeginCopy() error
	// CopyRows brings rows of a copy: store them, and leave alone what is kept apart. A key may have been told before, and the last
	// row of it counts.
	CopyRows(rows []Row[R, K]) error
	// Apply brings one effect.
	Apply(e Effect[R, K]) error
	// InStep says that what was told is the table as it stood at p. A handle that is asked to WaitFor(p) shows no less.
	InStep(p Position) error
	// Proven says that what was told includes all that the server had acknowledged at that time, by the clock of this process:
	// its age is no more than the time since then. WithProofEvery says how often it comes while the server answers.
	Proven(at time.Time) error
}

// Row is a record as it is stored. Record, Key and Scores belong to the follower; KeyBytes, Contents and the slice of rows are only
// valid during the call. A row that cannot be decoded is told, too: return its Err to end Follow, or treat the row as gone.
type Row[R any, K comparable] struct {
	Key      K
	Record   R
	Err      error     // a *CodingError: Record could not be decoded, or Key could not; what could not is zero, and so is Record
	Scores   []float64 // in the order of the definition's indexes
	KeyBytes []byte    // the encoded key: rows with equal scores are in the order of these
	Contents []byte    // the encoded attributes: rows with equal contents are equal
}

// Effect is one change of a table.
type Effect[R any, K comparable] struct {
	Kind  EffectKind
	At    Position    // the table after it
	Rows  []Row[R, K] // of Put, Stage and Apply; of Delete (as Gone) and Discard with key and KeyBytes alone
	Gone  []Row[R, K] // of Apply: keys that have no record after it, with key and KeyBytes alone; they may have had none before
	Noted bool        // the effect has written the note, or dropped it (Clear)
	Note  []byte      // if Noted: the note after it, nil if there is none; it belongs to the follower
}

// EffectKind says what an Effect changes.
type EffectKind int

// The kinds of effects, and what a follower does. Readers see nothing of Stage and Discard before the Merge, which shows all of them
// at once.
const (
	EffectPut     EffectKind = iota // store the rows; this, Delete and Apply also forget what was kept apart for these keys
	EffectDelete                    // remove the rows with these keys
	EffectStage                     // keep the rows apart; a row of a later Stage replaces one with the same key
	EffectDiscard                   // note apart that these keys go, staged rows too; a later Stage brings a key back
	EffectMerge                     // store and remove what was kept apart, and forget it; it may come with a note
	EffectAbort                     // forget what was kept apart
	EffectClear                     // remove all rows and the note, and forget what was kept apart
	EffectApply                     // store the rows and remove those in Gone, at one moment
	EffectNote                      // change nothing but the note; the first effect of a copy tells what that is
)

var effectKinds = [...]string{"put", "delete", "stage", "discard", "merge", "abort", "clear", "apply", "note"}

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
// It reads the change feed through a connection of its own, beside the pool of rdb, and holds no more than a page or a reply of the feed
// in memory. After a gap in the feed, a session whose rows were too many for the feed, a repair, or a fail-over to an older copy it
// copies the table anew; while Redis is away it tries again with pauses. It returns
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
	o := resolve(opts)
	how := scan.Following{Indexes: s.indexes, ProofEvery: o.proofEvery, Awaited: o.wait == untilThere}
	return r.errorf("follow", r.reader.Follow(ctx, how, s))
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

func (s *sink[R, K]) Note(at layout.Position, note []byte) error {
	return caught(func() error {
		return s.to.Apply(Effect[R, K]{Kind: EffectNote, At: Position{at}, Noted: true, Note: note})
	})
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
	case EffectApply:
		effect.Noted, effect.Note = e.Note != nil, bytes.Clone(e.Note)
		if effect.Rows, err = s.rowsOf(e); err == nil {
			effect.Gone, err = s.keysOf(e)
		}
	case EffectMerge:
		effect.Noted, effect.Note = e.Note != nil, bytes.Clone(e.Note)
	case EffectClear:
		effect.Noted = true
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
	case layout.KindApply:
		return EffectApply
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
