package stress

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
)

// Ledger keeps book of what is written to groups of records. All records of a group are written together, under a new
// version each time, by one writer at a time; all groups of a family are now and then written at one instant. From the
// versions that a read brings, and nothing else, it tells whether the read is of one moment, and whether that moment lies
// within the read.
//
// Time is counted in events: each look at the clock is later than the one before.
type Ledger struct {
	clock  atomic.Int64
	joint  atomic.Int64
	family func(group int) int
	groups []book
}

// book is the writes of one group. The number of a write is its version.
type book struct {
	mu     sync.Mutex // guards writes
	writes []write
}

// write is one write: it has taken effect, if ever, after from, and before to if that is known.
type write struct {
	from, to int64
	joint    int64 // names the instant at which the whole family was written; 0: the group alone
	outcome  Outcome
}

// Outcome is what a writer was told of its write.
type Outcome uint8

// The outcomes.
const (
	Unknown Outcome = iota // nothing, or not yet: it may have happened, and may still
	Done                   // it was acknowledged
	Refused                // it has certainly not happened
)

const never = math.MaxInt64

// NewLedger returns a ledger of groups that have version 0; family tells which of them are written at one instant.
func NewLedger(groups int, family func(group int) int) *Ledger {
	l := &Ledger{family: family, groups: make([]book, groups)}
	for g := range l.groups {
		l.groups[g].writes = []write{{outcome: Done}}
	}
	return l
}

// Now returns a moment that is later than all before.
func (l *Ledger) Now() int64 { return l.clock.Add(1) }

// Begin enters a write of one group that is about to be sent, and returns its version.
func (l *Ledger) Begin(group int) (version int64) { return l.begin(group, 0) }

// BeginJoint enters a write of all groups of a family, which is about to be sent, and returns their versions. If it is
// not done the family must be written again, as a whole, before one of its groups is written alone.
func (l *Ledger) BeginJoint(groups []int) (versions []int64) {
	joint := l.joint.Add(1)
	for _, g := range groups {
		versions = append(versions, l.begin(g, joint))
	}
	return versions
}

func (l *Ledger) begin(group int, joint int64) (version int64) {
	b := &l.groups[group]
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = append(b.writes, write{from: l.Now(), to: never, joint: joint})
	return int64(len(b.writes) - 1)
}

// End enters how the group's last write ended.
func (l *Ledger) End(group int, o Outcome) {
	b := &l.groups[group]
	b.mu.Lock()
	defer b.mu.Unlock()
	last := &b.writes[len(b.writes)-1]
	if last.outcome = o; o == Done {
		last.to = l.Now()
	}
}

// sight is what a version tells: it can have been seen between from and to, and was written at the instant of joint or
// alone after it.
type sight struct{ from, to, joint int64 }

func (l *Ledger) sight(group int, version int64) (s sight, err error) {
	b := &l.groups[group]
	b.mu.Lock()
	defer b.mu.Unlock()
	if version < 0 || version >= int64(len(b.writes)) {
		return s, fmt.Errorf("group %d has version %d, which nobody has written", group, version)
	}
	this := b.writes[version]
	if this.outcome == Refused {
		return s, fmt.Errorf("group %d has version %d, whose write was refused", group, version)
	}
	s = sight{from: this.from, to: never, joint: this.joint}
	for _, w := range b.writes[version+1:] {
		if w.outcome == Done { // writes before it that nobody knows of may have happened sooner, or never
			s.to = w.to
			break
		}
	}
	for v := version; v > 0 && s.joint == 0; v-- {
		if w := b.writes[v]; w.outcome == Done {
			s.joint = w.joint
		}
	}
	return s, nil
}

// Check returns an error unless there was a moment between begin and end at which the groups can have had exactly
// these versions.
func (l *Ledger) Check(begin, end int64, versions map[int]int64) error {
	latest, until := begin, end
	newest, oldest := -1, -1        // the groups that say so
	instants := make(map[int]int64) // of each family
	for g, v := range versions {
		s, err := l.sight(g, v)
		if err != nil {
			return err
		}
		if s.from > latest {
			latest, newest = s.from, g
		}
		if s.to < until {
			until, oldest = s.to, g
		}
		family := l.family(g)
		if joint, there := instants[family]; there && joint != s.joint {
			return fmt.Errorf("the read is a mix: family %d has groups of instants %d and %d", family, joint, s.joint)
		}
		instants[family] = s.joint
	}
	if latest <= until {
		return nil
	}
	return fmt.Errorf("the read from %d to %d is of no moment: group %d (version %d) did not have it before %d, group %d (version %d) no longer after %d",
		begin, end, newest, versions[newest], latest, oldest, versions[oldest], until)
}

// String writes all groups down: of each version when it was written, and how that ended.
func (l *Ledger) String() string {
	var s strings.Builder
	for g := range l.groups {
		b := &l.groups[g]
		b.mu.Lock()
		for v, w := range b.writes {
			fmt.Fprintf(&s, "group %d version %d: from %d to %d, joint %d, outcome %d\n", g, v, w.from, w.to, w.joint, w.outcome)
		}
		b.mu.Unlock()
	}
	return s.String()
}
