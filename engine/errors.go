package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Errors of calls that could not begin, or ended before their effect.
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
// was under way: it may have been applied, or be applied later, or never.
var ErrUnknownOutcome = errors.New("tablecache: outcome of the write is unknown")

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

// Ended returns why ctx is over: errors.Is finds context.Canceled or context.DeadlineExceeded, and the cause where one was
// given.
func Ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return Because(fmt.Errorf(prefix+"%w", ctx.Err()), cause)
	}
	return fmt.Errorf(prefix+"%w", ctx.Err())
}

// prefix is the library's name, with which its errors begin.
const prefix = "tablecache: "

// Unprefixed returns an error's text without the library's name, for use behind another error.
func Unprefixed(err error) string { return strings.TrimPrefix(err.Error(), prefix) }

// GivenUpError: the effect was certainly not applied, so many times in a row, while the store took small requests in between.
type GivenUpError struct {
	Kind  Kind
	Tries int
	Bytes int   // about how large it is
	Err   error // why it was not applied the last time
}

// Error says how often, how large, and why.
func (e *GivenUpError) Error() string {
	return fmt.Sprintf("%sa %s of %d bytes was given up after %d tries: %s", prefix, e.Kind, e.Bytes, e.Tries, Unprefixed(e.Err))
}

// Unwrap returns why the effect was not applied.
func (e *GivenUpError) Unwrap() error { return e.Err }
