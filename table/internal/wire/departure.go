package wire

import (
	"errors"
	"sync/atomic"
)

// Departure is an argument of a command that knows whether it was written to a connection. An error proves that the command was
// not run if its Departure has not left: neither a dial that fails, nor a pool, a Limiter or a hook that refuses, writes it.
type Departure struct {
	text string
	may  func() bool // nil: always
	left atomic.Bool
}

// NewDeparture returns an argument that has not left yet.
func NewDeparture(text string) *Departure { return &Departure{text: text} }

// If returns the argument as one that is written only if that may be.
func (d *Departure) If(may func() bool) *Departure {
	d.may = may
	return d
}

// ErrNobodyWaits: the command was not sent because its callers have left.
var ErrNobodyWaits = errors.New("tablecache: nobody waits for it")

// MarshalBinary is called by go-redis when it writes the argument.
func (d *Departure) MarshalBinary() ([]byte, error) {
	if d.may != nil && !d.may() {
		return nil, ErrNobodyWaits
	}
	d.left.Store(true)
	return []byte(d.text), nil
}

// String returns the argument, for hooks that show commands.
func (d *Departure) String() string { return d.text }

// Explain returns err as one that proves that the command was not run, if it does.
func (d *Departure) Explain(err error) error {
	if err == nil || d.left.Load() {
		return err
	}
	return &NotSentError{Err: err}
}

// NotSentError says that a command was not run, because what decides about it did not leave this process.
type NotSentError struct{ Err error }

// Error says why.
func (e *NotSentError) Error() string { return "not sent: " + e.Err.Error() }

// Unwrap returns why.
func (e *NotSentError) Unwrap() error { return e.Err }

// NeverSent tells whether the command did not leave this process.
func NeverSent(err error) bool { return errors.As(err, new(*NotSentError)) }
