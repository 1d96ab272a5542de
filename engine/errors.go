package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Errors of calls that ended before an effect was sent.
var (
	// ErrClosed: the table was closed before or while the call waited.
	ErrClosed = errors.New("tablecache: table is closed")
	// ErrGenerationsExhausted: the table was merged 2^32-1 times, which is the limit.
	ErrGenerationsExhausted = errors.New("tablecache: generations are exhausted")
)

// Errors of a table that this process can no longer write.
var (
	// ErrFenced: a later Open, here or elsewhere, owns the table now.
	ErrFenced = errors.New("tablecache: table was opened by another owner")
	// ErrLost: Redis has lost data that it had acknowledged.
	ErrLost = errors.New("tablecache: redis lost data of the table")
)

// ErrUnknownOutcome: the caller's context ended (or the table was closed) while the effect
// was under way. The effect may have been applied, or it will be, or it never will be.
var ErrUnknownOutcome = errors.New("tablecache: outcome of the write is unknown")

// ErrChanged: the row that an Update was to replace is not the one that its caller has read, or DiscardAll has found something staged
// beside all that is merged, or too much that was written through. Nothing was done: read again.
var ErrChanged = errors.New("tablecache: the record has changed since it was read")

// Errors that end a pin or a span.
var (
	// ErrSnapshotExpired: the grace period of a pin is over.
	ErrSnapshotExpired = errors.New("tablecache: snapshot expired")
	// ErrScratchMerged: the scratch session of the call was merged.
	ErrScratchMerged = errors.New("tablecache: scratch session was merged")
	// ErrScratchAborted: the scratch session of the call was aborted or cleared.
	ErrScratchAborted = errors.New("tablecache: scratch session was aborted")
	// ErrCleared: the table was cleared since the span began.
	ErrCleared = errors.New("tablecache: table was cleared")
)

// Ended returns why ctx has ended: errors.Is finds context.Canceled or context.DeadlineExceeded, and the context's cause if there
// is one.
func Ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return Because(fmt.Errorf(prefix+"%w", ctx.Err()), cause)
	}
	return fmt.Errorf(prefix+"%w", ctx.Err())
}

// prefix is the beginning of all errors of the library: its name.
const prefix = "tablecache: "

// Unprefixed returns an error's text without the library's name, so that an error which wraps it says the name once.
func Unprefixed(err error) string { return strings.TrimPrefix(err.Error(), prefix) }

// GivenUpError: an effect has failed so often that it was given up. It was certainly not applied.
type GivenUpError struct {
	Kind  Kind
	Tries int   // how often in a row it has failed
	Bytes int   // about how large it is
	Err   error // why it was not applied the last time
}

// Error says how often, how large, and why.
func (e *GivenUpError) Error() string {
	return fmt.Sprintf("%sa %s of %d bytes was given up after %d tries: %s", prefix, e.Kind, e.Bytes, e.Tries, Unprefixed(e.Err))
}

// Unwrap returns why the effect was not applied.
func (e *GivenUpError) Unwrap() error { return e.Err }
