package wire

import "context"

// await returns what f does, or the error of ctx at once when that ends. Then f ends by itself later.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // else an error may only say that the connection was closed
		return *new(T), ctx.Err()
	}
	return r.value, r.err
}
