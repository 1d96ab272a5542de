package layout

import (
	"strconv"
	"strings"
)

// Position is how far a table has come: an owner, and the number of its last effect.
type Position struct {
	Epoch Epoch
	Seq   uint64
}

// String returns the text that ParsePosition reads: the epoch, a slash, the number. The zero position is no text.
func (p Position) String() string {
	if p == (Position{}) {
		return ""
	}
	return string(p.Epoch) + "/" + strconv.FormatUint(p.Seq, 10)
}

// ParsePosition reads a position; ok is false for what String does not write.
func ParsePosition(s string) (p Position, ok bool) {
	if s == "" {
		return Position{}, true
	}
	epoch, number, _ := strings.Cut(s, "/")
	seq, err := strconv.ParseUint(number, 10, 64)
	p = Position{Epoch: Epoch(epoch), Seq: seq}
	return p, err == nil && p.Epoch.IsValid() && p.String() == s
}

// Line is the predecessors of an owner: each with the number of its last effect, the latest first. It is kept in the truth, so
// that a position of an earlier owner can be told from one of another copy of the data.
type Line []Position

// MostPredecessors is how many a truth names.
const MostPredecessors = 64

// ParseLine reads a line as it is stored; what cannot be read is left out.
func ParseLine(s string) (l Line) {
	for _, text := range strings.Fields(s) {
		if p, ok := ParsePosition(text); ok {
			l = append(l, p)
		}
	}
	return l
}

// Includes tells whether one of the predecessors has had all that p stands for.
func (l Line) Includes(p Position) bool {
	for _, predecessor := range l {
		if predecessor.Epoch == p.Epoch {
			return p.Seq <= predecessor.Seq
		}
	}
	return false
}
