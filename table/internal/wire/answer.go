package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Answer is the answer of a script: a status, the moment it is of, and what a read brings.
type Answer struct {
	Status Status
	Moment
	Rest Reply // what a read brings, not yet read
}

// Moment is one moment of a table, with its owner.
type Moment struct {
	Epoch layout.Epoch
	Last  string // the truth's field last: the small reply of the last effect. Some scripts answer with something else here
	View  engine.View
	Burns uint64 // how many numbers were burned
	Notes uint64 // how often the note was written or dropped: two moments with the same number have the same note
}

// momentTexts are the fields of layout.TruthFields that a moment is made of.
type momentTexts [layout.MomentFields][]byte

// ParseAnswer makes an answer of a reply that go-redis has parsed.
func ParseAnswer(reply any) (Answer, error) {
	parts, ok := reply.([]any)
	var texts momentTexts
	if !ok || len(parts) <= len(texts) {
		return Answer{}, fmt.Errorf("%w: not an answer of our script", engine.ErrLost)
	}
	status, _ := parts[0].(string)
	for i := range texts {
		text, _ := parts[1+i].(string)
		texts[i] = []byte(text)
	}
	return newAnswer(parseStatus(status), texts, nil)
}

// ReadAnswer makes an answer of a raw reply. The answer shares its memory.
func ReadAnswer(raw []byte) (Answer, error) { return readAnswer(raw, nil) }

// ReadAnswer is the function of that name, for many answers about one table.
func (c *Client) ReadAnswer(raw []byte) (Answer, error) { return readAnswer(raw, &c.epochs) }

func readAnswer(raw []byte, known *epochs) (Answer, error) {
	r := NewReply(raw)
	var texts momentTexts
	if n := r.List(); n <= len(texts) {
		r.Fail()
	}
	status := parseStatus(string(r.Text()))
	for i := range texts {
		texts[i] = r.Text()
	}
	if r.Err() != nil {
		return Answer{}, r.Err()
	}
	a, err := newAnswer(status, texts, known)
	a.Rest = r
	return a, err
}

func newAnswer(status Status, texts momentTexts, known *epochs) (a Answer, err error) {
	a.Status, a.Last = status, string(texts[1])
	if len(texts[0]) > 0 { // else the truth is gone; the status says so
		a.Moment, err = texts.moment(known)
	}
	return a, err
}

func (t *momentTexts) moment(known *epochs) (m Moment, err error) {
	m.Epoch, m.Last = known.of(t[0]), string(t[1])
	if m.View.State, m.View.Whole, err = parseState(string(t[2])); err != nil {
		return m, err
	}
	if m.View.Seq, err = parseUint(string(t[3]), 64); err != nil {
		return m, err
	}
	generation, err := parseUint(string(t[4]), 32)
	if err != nil {
		return m, err
	}
	m.View.Generation = uint32(generation)
	if m.View.Version, err = parseUint(string(t[5]), 64); err != nil {
		return m, err
	}
	if m.Burns, err = parseUint(string(t[6]), 64); err != nil {
		return m, err
	}
	m.Notes, err = parseUint(string(t[7]), 64)
	return m, err
}

func parseUint(s string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%w: a number in the table's truth cannot be read", engine.ErrLost)
	}
	return n, nil
}

// Err returns what the status means to the owner that epoch names; nil for OK.
func (a *Answer) Err(epoch layout.Epoch) error {
	switch a.Status {
	case StatusOK, StatusSound, StatusChanged:
		return nil
	case StatusFenced:
		return Ownership(epoch, a.Epoch)
	case StatusExpired:
		return engine.ErrSnapshotExpired
	case StatusBuilding:
		return ErrIndexBuilding
	default: // LOST, and statuses that come only if somebody else writes to our keys: STATE, VOID
		return fmt.Errorf("%w: %s", engine.ErrLost, strings.ToLower(a.Status.String()))
	}
}

// Ownership returns the error for an answer under another epoch: ErrFenced if it is a later owner's, ErrLost if it is an earlier
// one's, because then the data is an older copy.
func Ownership(ours, theirs layout.Epoch) error {
	if theirs.Count() < ours.Count() {
		return fmt.Errorf("%w: it went back to an earlier owner", engine.ErrLost)
	}
	return engine.ErrFenced
}
