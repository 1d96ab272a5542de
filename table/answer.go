package table

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tablecache-go/tablecache/engine"
)

// answer is what every script answers with: a status, the moment it is of, and more.
type answer struct {
	status string
	epoch  string
	view   engine.View
	last   string // the small reply of the effect that has this moment's number
	rest   []any
}

const answerHead = 7

func parseAnswer(reply any) (answer, error) {
	parts, ok := reply.([]any)
	if !ok || len(parts) < answerHead {
		return answer{}, fmt.Errorf("%w: not an answer of our script", ErrLost)
	}
	a := answer{rest: parts[answerHead:]}
	texts := []*string{&a.status, &a.epoch, nil, nil, nil, nil, &a.last}
	for i, to := range texts {
		if to != nil {
			*to, _ = parts[i].(string)
		}
	}
	if a.epoch == "" { // the truth is gone; the status says so
		return a, nil
	}
	return a, a.parseView(parts)
}

func (a *answer) parseView(parts []any) (err error) {
	if a.view.Seq, err = parseUint(parts[2], 64); err != nil {
		return err
	}
	gen, err := parseUint(parts[3], 32)
	if err != nil {
		return err
	}
	a.view.Generation = uint32(gen)
	if a.view.State, err = parseState(parts[4]); err != nil {
		return err
	}
	a.view.Version, err = parseUint(parts[5], 64)
	return err
}

func parseUint(v any, bits int) (uint64, error) {
	s, _ := v.(string)
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%w: a number in the table's truth cannot be read", ErrLost)
	}
	return n, nil
}

func parseState(v any) (engine.State, error) {
	for _, s := range []engine.State{engine.StateClear, engine.StateActive, engine.StateMerging} {
		if v == s.String() {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%w: the state in the table's truth cannot be read", ErrLost)
}

// err returns what the status means to the owner of epoch; nil for OK.
func (a *answer) err(epoch string) error {
	switch a.status {
	case "OK":
		return nil
	case "FENCED":
		return ownership(epoch, a.epoch)
	case "EXPIRED":
		return ErrSnapshotExpired
	default: // LOST, and what cannot be as long as nobody else writes our keys: STATE, VOID
		return fmt.Errorf("%w: %s", ErrLost, strings.ToLower(a.status))
	}
}

// ownership tells a later owner from an older copy of the data.
func ownership(ours, theirs string) error {
	if epochCount(theirs) < epochCount(ours) {
		return fmt.Errorf("%w: it went back to an earlier owner", ErrLost)
	}
	return ErrFenced
}

func epochCount(epoch string) uint64 {
	count, _, _ := strings.Cut(epoch, ":")
	n, _ := strconv.ParseUint(count, 10, 64)
	return n
}
