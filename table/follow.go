package table

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

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
// A Discard of everything (All) has what is kept apart stand for the whole table: the merge removes every row that is not among it.
// What was written through before is not discarded, so that Discard has it as Rows, which are kept apart at once; and until the session
// ends a follower keeps the rows of a put or an apply apart, too, as well as storing them.
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
	Scores   []float64 // in the order of the definition's indexes; NaN: see EffectIndexes
	KeyBytes []byte    // the encoded key: rows with equal scores are in the order of these
	Contents []byte    // the encoded attributes: rows with equal contents are equal
}

// Effect is one change of a table.
type Effect[R any, K comparable] struct {
	Kind  EffectKind
	All   bool        // of Delete and Discard: it is of everything. The Rows of a Delete are empty then; those of a Discard are what it leaves, whole
	At    Position    // the table after it
	Rows  []Row[R, K] // of Put, Stage and Apply; of Delete (as Gone) and Discard with key and KeyBytes alone
	Gone  []Row[R, K] // of Apply: keys that have no record after it, with key and KeyBytes alone; they may have had none before
	Noted bool        // the effect has written the note, or dropped it (Clear)
	Note  []byte      // if Noted: the note after it, nil if there is none; it belongs to the follower
	// Missing has, of EffectIndexes, those indexes of the definition that the table does not have, or not for all rows, and why:
	// ErrIndexBuilding or ErrUnknownIndex. The scores in them are NaN.
	Missing map[string]error
}

// EffectKind says what an Effect changes.
type EffectKind int

// The kinds of effects, and what a follower does. Readers see nothing of Stage and Discard before the Merge, which shows all of them
// at once.
const (
	EffectPut     EffectKind = iota // store the rows; this, Delete and Apply also forget what was kept apart for these keys (but see All)
	EffectDelete                    // remove the rows with these keys, or all rows (All)
	EffectStage                     // keep the rows apart; a row of a later Stage replaces one with the same key
	EffectDiscard                   // note apart that these keys go, staged rows too, or everything (All); a later Stage brings a key back
	EffectMerge                     // store and remove what was kept apart, and forget it; it may come with a note
	EffectAbort                     // forget what was kept apart
	EffectClear                     // remove all rows and the note, and forget what was kept apart
	EffectApply                     // store the rows and remove those in Gone, at one moment
	EffectNote                      // change nothing but the note; the first effect of a copy tells what that is
	EffectIndexes                   // until the next copy do without the indexes in Missing; it comes in a copy, before any of its rows
)

var effectKinds = [...]string{"put", "delete", "stage", "discard", "merge", "abort", "clear", "apply", "note", "indexes"}

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
	o := resolve(opts)
	how := scan.Following{ProofEvery: o.proofEvery, Awaited: o.wait == untilThere}
	for {
		h := r.now.Load()
		how.Indexes = len(h.def.Indexes)
		err := h.reader.Follow(ctx, how, newSink(h, &r.def, to))
		stored, moved := movedBy(err)
		if moved { // the follower is told a new copy, under the schema that is stored now
			err = r.follow(h, stored)
		}
		if err != nil {
			return h.errorf("follow", err)
		}
		how.Awaited = true
	}
}
