package table

import (
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Position is how far a table has come: what one handle has shown or done last. It travels between processes, as text in a
// header or a cookie: after WaitFor(p) a handle shows whatever the handle that gave p had shown or done. Positions can be
// compared with ==; there is no order among them without a table. The zero one is included in everything.
type Position struct{ at layout.Position }

// ErrInvalidPosition: a text is not a position.
var ErrInvalidPosition = errors.New("tablecache: invalid position")

// IsZero tells whether p is the position before everything.
func (p Position) IsZero() bool { return p == Position{} }

// String returns the text that ParsePosition reads; for the zero position it is empty. It is safe in a header.
func (p Position) String() string { return p.at.String() }

// MarshalText returns the text of String.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text of String.
func (p *Position) UnmarshalText(text []byte) error {
	parsed, err := ParsePosition(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}

// ParsePosition reads the text of Position.String; what is not one is ErrInvalidPosition.
func ParsePosition(s string) (Position, error) {
	at, ok := layout.ParsePosition(s)
	if !ok {
		return Position{}, fmt.Errorf("%w: not an epoch and a number", ErrInvalidPosition)
	}
	return Position{at}, nil
}
