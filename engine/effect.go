package engine

import "context"

// Bytes is one argument of an effect: a piece of a caller's buffer. A *Bytes is an
// encoding.BinaryMarshaler, so a Redis client can send it without boxing a copy.
type Bytes []byte

// MarshalBinary returns the bytes themselves, not a copy.
func (b *Bytes) MarshalBinary() ([]byte, error) { return *b, nil }

// Row is one encoded record. Its buffers belong to the engine from the call that hands
// them over: the caller must not touch them again, however the call ends.
type Row struct {
	Key    Bytes
	Value  Bytes   // the first four bytes are for the generation, which the actor writes
	Scores []Bytes // decimal text, one for each index in definition order
}

// Mark names a record to delete or discard. If Value is not nil, the record is only marked
// if it still has this very row and this score in the index of its Deletion.
type Mark struct {
	Key   Bytes
	Value Bytes
	Score Bytes
}

// Verdict is the outcome of one mark.
type Verdict byte

// The outcomes of a mark. They are the bytes in which Redis remembers them.
const (
	Missing Verdict = '0' // there is no such record
	Marked  Verdict = '1' // it was deleted or discarded
	Changed Verdict = '2' // it is not the record that the caller has read: judge it again
)

// Kind says what an effect does.
type Kind uint8

// The kinds of effect.
const (
	Put        Kind = iota + 1 // store rows; beside a session, this and Delete, Apply and Update win over what is staged for their keys
	Delete                     // remove rows
	Stage                      // store rows in the scratch space
	Discard                    // put tombstones into the scratch space
	Merge                      // show all staged rows
	Abort                      // drop all staged rows
	Clear                      // drop everything
	Repair                     // mend one thing
	Apply                      // store rows, remove keys, write the note: any of these
	Update                     // store a row in place of the one that was read
	DiscardAll                 // begin a session in which what is staged stands for the whole table, or drop what that has staged
	Complete                   // declare complete those indexes that were being built and are
)

// isRegular tells whether effects of the kind change what readers see, and run in the clear state; with Config.WriteThrough also
// beside a scratch session.
func (k Kind) isRegular() bool { return k == Put || k == Delete || k == Apply || k == Update }

// isScratch tells whether effects of the kind change what is staged and nothing that readers see.
func (k Kind) isScratch() bool { return k == Stage || k == Discard || k == DiscardAll }

// hasVerdicts tells whether effects of the kind have a verdict for each mark.
func (k Kind) hasVerdicts() bool { return k == Delete || k == Discard }

// Damage is one thing that Repair is to mend, as it was read. What is no longer so is not mended. The store knows the words of
// remedies.
type Damage struct {
	Remedy          string
	Index           int
	Key, Row, Score string
}

// Sweep names records to delete or discard by where they lie in an index, not by marks.
type Sweep struct {
	Index  int
	All    bool    // Delete: every record there is; else
	Bounds []Bytes // those in intervals: min, max of each
	Place  Place   // where to go on
	Most   int     // how many records one step looks at, at most; of what is staged, and of what is merged
}

// Place is where a sweep goes on: in an interval, counted from 1, behind an entry; the zero Place is the beginning.
type Place struct {
	Interval   int
	Score, Key string
}

// Effect is one atomic change of the table in Redis.
type Effect struct {
	Kind       Kind
	Prev, Seq  uint64  // the effect is applied only if the table's number is Prev, and makes it Seq
	State      State   // the table's state before the effect: Put, Delete, Apply and Update are applied in no other
	Generation uint32  // the table's generation before the effect
	Rows       []Row   // Put, Stage, Apply, Update: stamped with their generation; DiscardAll: those that stay, for they were written through
	Marks      []Mark  // Delete, Discard; Apply: what it removes, by key alone; Update: the row that was read
	Witnesses  []Mark  // other records that the caller has read between Bounds; they are not marked
	Bounds     []Bytes // min, max of intervals: if these hold other records than marks and witnesses, nothing is marked
	Index      int     // the index that the marks' scores are of
	Compare    bool    // whether marks must be compared with what is stored
	Damage     *Damage // Repair
	Sweep      *Sweep  // Delete, Discard: in place of marks
	Kept       []Bytes // of a Sweep of Discard: the keys that stay, for they were written through
	Note       []byte  // Apply, Merge; nil: the note stays as it is

	// Callers are the contexts of the callers whose requests this effect carries out. The store uses their values, such as a
	// trace. The effect does not end with them.
	Callers []context.Context

	requests []*request // it carries them out
}

// Depart tells whether the effect may leave the process, as it may not once all its callers have left. If it may, it has left
// from then on as far as anybody knows; before, a caller may leave and have done nothing, if the effect is its own alone.
func (e *Effect) Depart() bool {
	may := len(e.requests) == 0
	for _, r := range e.requests {
		may = r.depart() || may
	}
	return may
}

// Result is what an effect left behind.
type Result struct {
	State      State
	Whole      bool // see View
	Generation uint32
	Version    uint64    // grows with every in-place change of what readers see
	Verdicts   []Verdict // Delete, Discard: one for each mark; of a Sweep the store's own reply
	Count      int       // DiscardAll: how many records are discarded
}

// Store applies effects to a table in Redis. Its errors tell what is known of the outcome. ErrFenced
// and ErrLost are the table's own answer: the effect was not applied, and the table can no longer be
// written. After a *RefusedError from Apply the effect was certainly not applied (if it wraps ErrFenced or
// ErrLost, only this effect fails and the table goes on). After any other error, or a panic, the
// outcome is unknown and must be settled. If Settle returns a *RefusedError that is not temporary, it will
// fail again until somebody has mended the cause. The engine calls one method at a time. The store may use
// an effect and its slices only until the call returns.
type Store interface {
	// Apply applies the effect, at most once, however often the network repeats it.
	Apply(ctx context.Context, e *Effect) (Result, error)
	// Settle finds out whether an earlier Apply of e was applied. If it was not, it never will
	// be: Settle has burned the number, and the table's number is now e.Seq+1. (If it were e.Seq, a
	// Settle that is repeated after a lost reply would say that the effect was applied.) The engine
	// also calls Settle as a ping, with an effect whose Prev and Seq are both the table's number: that
	// changes nothing, and done is true.
	Settle(ctx context.Context, e *Effect) (r Result, done bool, err error)
}

// DepartingStore is a Store whose Apply calls Effect.Depart itself, when the first byte leaves from which the effect could be
// applied, and applies nothing that may not. Without it an effect departs when Apply is called.
type DepartingStore interface {
	Store
	Departs()
}

// RefusedError wraps the reason why an effect was certainly not applied.
type RefusedError struct {
	Err       error
	Temporary bool // the same effect may be sent again after a while
	General   bool // the reason has nothing to do with this effect: any other would be refused too
}

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }
