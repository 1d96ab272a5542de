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
	Value  Bytes   // the first four bytes are left free: the actor stamps the generation
	Scores []Bytes // decimal text, one for each index in definition order
}

// Mark names a record to delete or discard. When Value is not nil the record is only marked
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
	Changed Verdict = '2' // it is not the record that was seen: judge it again
)

// Kind says what an effect does.
type Kind uint8

// The kinds of effect.
const (
	Put     Kind = iota + 1 // store rows
	Delete                  // remove rows
	Stage                   // store rows in the scratch space
	Discard                 // put tombstones into the scratch space
	Merge                   // show all staged rows
	Abort                   // drop all staged rows
	Clear                   // drop everything
)

// Effect is one atomic change of the table in Redis.
type Effect struct {
	Kind       Kind
	Prev, Seq  uint64  // runs only where the table's number is Prev, and leaves Seq
	Generation uint32  // the table's generation before the effect
	Rows       []Row   // Put, Stage: already stamped
	Marks      []Mark  // Delete, Discard
	Witnesses  []Mark  // what else was seen between Bounds, and is not to be marked
	Bounds     []Bytes // min, max of intervals: mark all, or none if they hold anything but what was seen
	Index      int     // the index that the marks' scores are of
	Compare    bool    // whether marks must be compared with what is stored
}

// Result is what an effect left behind.
type Result struct {
	State      State
	Generation uint32
	Version    uint64    // grows with every in-place change of what readers see
	Verdicts   []Verdict // Delete, Discard: one for each mark
}

// Store has effects on a table in Redis. Its errors tell what is known of the outcome:
// ErrFenced and ErrLost are the table's own answer (nothing was done); a *RefusedError was
// certainly not done (it may wrap one of them: then only this effect fails, and the table goes
// on); after any other error the outcome is unknown and must be settled. The engine calls one
// method at a time; one that panics leaves the outcome unknown. An effect and its slices are the
// store's only until the call returns.
type Store interface {
	// Apply has the effect, at most once, however often the network repeats it.
	Apply(ctx context.Context, e *Effect) (Result, error)
	// Settle finds out whether an earlier Apply of e had its effect. If it had not, it never
	// will: Settle has burned the number, and the table's number is now e.Seq+1. (Not e.Seq:
	// a Settle that is asked again after a lost reply would then take the effect for done.)
	Settle(ctx context.Context, e *Effect) (r Result, done bool, err error)
}

// RefusedError wraps the reason why an effect was certainly not done.
type RefusedError struct {
	Err       error
	Temporary bool // the same effect may be sent again after a while
}

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }
