package wire

import (
	"errors"
	"sync/atomic"

	"github.com/tablecache-go/tablecache/engine"
)

// Departure is an argument of a command that knows whether it was written to a connection. If it was not, the command was certainly
// not run: go-redis writes no argument when a dial fails, or when the pool, a Limiter or a hook refuses the command.
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

// Explain returns err as a NotSentError if the argument was not written, because then the command was not run.
func (d *Departure) Explain(err error) error {
	if err == nil || d.left.Load() {
		return err
	}
	return &NotSentError{Err: err}
}

// NotSentError says that a command was not run, because its Departure did not leave this process.
type NotSentError struct{ Err error }

// Error says why.
func (e *NotSentError) Error() string { return "not sent: " + engine.Unprefixed(e.Err) }

// Unwrap returns why.
func (e *NotSentError) Unwrap() error { return e.Err }

// NeverSent tells whether the command did not leave this process.
func NeverSent(err error) bool { return errors.As(err, new(*NotSentError)) }
