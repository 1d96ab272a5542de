package table

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Errors of a call that is wrong. It is refused before Redis is asked, and nothing has changed.
var (
	// ErrInvalidDefinition: Open was given a definition that cannot be a table.
	ErrInvalidDefinition = errors.New("tablecache: invalid definition")
	// ErrUnknownIndex: the spec names an index that the definition does not have, or one that was dropped from the table.
	ErrUnknownIndex = errors.New("tablecache: unknown index")
	// ErrInvalidSpec: intervals overlap, are reversed or NaN, or too many; or the limit is negative. Of
	// Page also: the token is not of this spec, the page has no length, or there is a limit. Of Apply: a key
	// is both put and deleted. Of Update: the key was changed. Of what deletes or discards: the spec has a condition (IfNote).
	ErrInvalidSpec = errors.New("tablecache: invalid spec")
	// ErrMissingAttribute: a map record lacks an attribute of the definition.
	ErrMissingAttribute = errors.New("tablecache: missing attribute")
	// ErrTooLarge: a key (64 KiB), a record (64 MiB), the records of one atomic write (256 MiB), the changes of one
	// Apply (1,000), a note (64 KiB), or the keys of one look-up (10,000) are more than the limit. It is also told after Redis was asked, of a write or an answer that exceeds a limit of the server.
	ErrTooLarge = wire.ErrTooLarge
	// ErrPanic: a function of the caller (codec, score, predicate, change of an Update) panicked.
	ErrPanic = errors.New("tablecache: panic in a caller's function")
)

// Errors of Open.
var (
	// ErrSchemaMismatch: the key or an attribute of the table in Redis has another codec than in the definition, or stored scores are
	// others than an index computes. It is a *SchemaError. Attributes and indexes more or fewer are no mismatch.
	ErrSchemaMismatch = wire.ErrSchemaMismatch
	// ErrUnsafeClient: the client or the server is configured so that guarantees cannot hold.
	ErrUnsafeClient = wire.ErrUnsafeClient
	// ErrReplica: the server is a replica. It is an ErrUnsafeClient, but after a fail-over it may pass.
	ErrReplica = wire.ErrReplica
)

// Lasts tells whether an error of opening a handle does not pass by itself, so that it is of no use to wait and try again: somebody must
// change the definition, the client, the rights of its user, or what is stored.
func Lasts(err error) bool {
	for _, e := range []error{ErrInvalidDefinition, ErrSchemaMismatch, ErrLost, ErrPanic} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.Is(err, ErrUnsafeClient) && !errors.Is(err, ErrReplica) || wire.Lasts(err)
}

// ErrHeld: another process holds a lease of the table, so Open with WithLease has not taken it. It is a *HeldError, which tells who holds
// the lease, and for how long at most.
var ErrHeld = wire.ErrHeld

// HeldError is an ErrHeld. Get it with errors.As.
type HeldError = wire.HeldError

// ErrIndexBuilding: the table's owner is building the index, or does not have it yet, or not in this version, or it is Unstored and waits
// for everything to be loaded anew. Reads by other indexes go on, and so do writes. Stats tells how far it is.
var ErrIndexBuilding = wire.ErrIndexBuilding

// ErrNotFound: there is no such record.
var ErrNotFound = errors.New("tablecache: record not found")

// ErrNoteChanged: the note has another version than the read wants; see Spec.IfNote. Nothing was yielded. Ask Noted for the present one.
var ErrNoteChanged = errors.New("tablecache: the note has changed")

// Errors that end a call, or a handle. Package engine tells them, too.
var (
	// ErrClosed: the handle was closed in this process.
	ErrClosed = engine.ErrClosed
	// ErrFenced: another process has opened the table, and owns it now. It ends the table in this process.
	ErrFenced = engine.ErrFenced
	// ErrLost: data in Redis was lost or went back: keys are missing, counts do not hold, or acknowledged writes are not there. It
	// ends a table in this process: open it with WithReset and load it again. A Reader goes on.
	ErrLost = engine.ErrLost
	// ErrUnknownOutcome: the context ended while a write was under way. It was applied once, or will be, or never. It also Is
	// the context's error.
	ErrUnknownOutcome = engine.ErrUnknownOutcome
	// ErrGenerationsExhausted: the table has had 2^32-1 merges, and can have no more.
	ErrGenerationsExhausted = engine.ErrGenerationsExhausted
	// ErrSnapshotExpired: a long read has held others up for longer than the grace period, or the table has changed during one that
	// fits neither pins nor memory.
	ErrSnapshotExpired = engine.ErrSnapshotExpired
	// ErrScratchMerged: the scratch session that the call belongs to was merged meanwhile, or before the call.
	ErrScratchMerged = engine.ErrScratchMerged
	// ErrScratchAborted: the scratch session that the call belongs to was aborted, by whomever, dropped by Clear, or ended with the context
	// of its holder.
	ErrScratchAborted = engine.ErrScratchAborted
)

// CodingError tells which part of which record could not be encoded or decoded. It holds no
// part of the record itself: Key is a short hash of the encoded primary key (empty when the key
// could not be encoded). Of an error of your own codec or function the text tells only the type, unless
// the error wraps codec.ErrValue or codec.ErrData: then its own text must not tell the value. In both
// cases errors.Is and errors.As find it.
type CodingError struct {
	Table, Key, Attribute string
	Index                 string // set when a score, not an attribute, was at fault
	Decoding              bool
	Err                   error // wraps codec.ErrValue, codec.ErrData, ErrMissingAttribute or ErrPanic
}

// Error names the table, the attribute or index, and the hash of the key.
func (e *CodingError) Error() string {
	var b strings.Builder
	verb := "encode"
	if e.Decoding {
		verb = "decode"
	}
	fmt.Fprintf(&b, "tablecache: table %s: cannot %s", e.Table, verb)
	if e.Attribute != "" {
		fmt.Fprintf(&b, " attribute %s", e.Attribute)
	}
	if e.Index != "" {
		fmt.Fprintf(&b, " score of index %s", e.Index)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, " of key #%s", e.Key)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", engine.Unprefixed(e.Err))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *CodingError) Unwrap() error { return e.Err }

// concealed hides the text of an error of a caller's function and tells only its type: the text may hold the value, as that of a
// *strconv.NumError does. errors.Is and errors.As find the error.
type concealed struct {
	side error // codec.ErrValue or codec.ErrData
	err  error
}

// Error names the side and the type.
func (c *concealed) Error() string { return fmt.Sprintf("%v: a %T", c.side, c.err) }

// Unwrap returns both.
func (c *concealed) Unwrap() []error { return []error{c.side, c.err} }

// SchemaError is an ErrSchemaMismatch with every difference that was found. Get it with errors.As.
type SchemaError = wire.SchemaError

// ErrNoFeed: the table's owner keeps no change feed (see WithFeed), so that nobody can follow it.
var ErrNoFeed = scan.ErrNoFeed

// ErrStale: what a handle shows is older than it may be, or than what was waited for. Handles that answer from memory say so, as those of
// package mirror do.
var ErrStale = errors.New("tablecache: stale")

// ErrNoTable: there is no table of this name. Drop and handles that only read say so.
var ErrNoTable = wire.ErrNoTable

// WaitError stands beside the error of a context that has ended. It tells what the call was waiting for, since when, and what
// went wrong there last. Get it with errors.As; errors.Is finds what it wraps.
type WaitError = engine.WaitError

// WaitFor names what a call has waited for.
type WaitFor = engine.WaitFor

// What a call may wait for.
const (
	WaitScratch = engine.WaitScratch // a scratch session is on: regular writes wait for its end, and all scratch calls if it is somebody's own
	WaitFold    = engine.WaitFold    // a merge is being folded
	WaitReads   = engine.WaitReads   // long reads that a write would disturb
	WaitRedis   = engine.WaitRedis   // Redis answers slowly, cannot be had, or refuses for now
)

// GivenUpError: a write has failed as often in a row as WithTries says. Each time it was certainly not applied although Redis
// answered a small request. The error wraps what went wrong the last time.
type GivenUpError = engine.GivenUpError
