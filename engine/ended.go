package engine

import "context"

// Ended says why ctx is over: errors.Is finds context.Canceled or DeadlineExceeded, and the cause where one was given.
func Ended(ctx context.Context) error { return ended(ctx) }
