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
	rest   resp   // what a read brings
}

// answerHead is status, epoch, seq, gen, state, rver, last.
type answerHead [7]string

// parseAnswer makes an answer of a reply that go-redis has parsed.
func parseAnswer(reply any) (answer, error) {
	parts, ok := reply.([]any)
	var head answerHead
	if !ok || len(parts) < len(head) {
		return answer{}, fmt.Errorf("%w: not an answer of our script", ErrLost)
	}
	for i := range head {
		head[i], _ = parts[i].(string)
	}
	return head.answer()
}

// readAnswer makes an answer of a raw reply, which it keeps.
func readAnswer(raw []byte) (answer, error) {
	r := resp{rest: raw}
	var head answerHead
	if n := r.list(); n < len(head) && r.err == nil {
		r.fail()
	}
	for i := range head {
		head[i] = string(r.text())
	}
	if r.err != nil {
		return answer{}, r.err
	}
	a, err := head.answer()
	a.rest = r
	return a, err
}

func (h *answerHead) answer() (answer, error) {
	a := answer{status: h[0], epoch: h[1], last: h[6]}
	if a.epoch == "" { // the truth is gone; the status says so
		return a, nil
	}
	return a, a.parseView(h[2], h[3], h[4], h[5])
}

func (a *answer) parseView(seq, gen, state, version string) (err error) {
	if a.view.Seq, err = parseUint(seq, 64); err != nil {
		return err
	}
	g, err := parseUint(gen, 32)
	if err != nil {
		return err
	}
	a.view.Generation = uint32(g)
	if a.view.State, err = parseState(state); err != nil {
		return err
	}
	a.view.Version, err = parseUint(version, 64)
	return err
}

func parseUint(s string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%w: a number in the table's truth cannot be read", ErrLost)
	}
	return n, nil
}

func parseState(text string) (engine.State, error) {
	for _, s := range []engine.State{engine.StateClear, engine.StateActive, engine.StateMerging} {
		if text == s.String() {
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
