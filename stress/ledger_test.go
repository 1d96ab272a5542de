package stress

import "testing"

// The ledger finds each kind of fault, and lets pass what comes close to it.
func TestTheLedgerSees(t *testing.T) {
	for name, c := range map[string]struct {
		history func(l *Ledger) (begin, end int64)
		seen    map[int]int64
		wrong   bool
	}{
		"what was written":         {acknowledged(0), map[int]int64{0: 1, 1: 0}, false},
		"a stale read":             {acknowledged(0), map[int]int64{0: 0, 1: 0}, true},
		"a torn read":              {acknowledged(0, 1), map[int]int64{0: 1, 1: 0}, true},
		"a read during writes":     {during, map[int]int64{0: 1, 1: 0}, false},
		"a mix during writes":      {during, map[int]int64{0: 0, 1: 1}, true},
		"from nowhere":             {acknowledged(0), map[int]int64{0: 2}, true},
		"refused":                  {ending(Refused), map[int]int64{0: 1}, true},
		"refused, so as it was":    {ending(Refused), map[int]int64{0: 0}, false},
		"unknown, had":             {ending(Unknown), map[int]int64{0: 1}, false},
		"unknown, not had":         {ending(Unknown), map[int]int64{0: 0}, false},
		"unknown, then over":       {ending(Unknown, Done), map[int]int64{0: 1}, true},
		"refused, then over":       {ending(Refused, Done), map[int]int64{0: 2}, false},
		"all of a joint write":     {joint, map[int]int64{0: 1, 1: 1}, false},
		"nothing of a joint write": {joint, map[int]int64{0: 0, 1: 0}, false},
		"half a joint write":       {joint, map[int]int64{0: 1, 1: 0}, true},
		"alone after it":           {jointThen, map[int]int64{0: 2, 1: 1}, false},
		"alone without it":         {jointThen, map[int]int64{0: 2, 1: 0}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := NewLedger(2, func(int) int { return 0 })
			begin, end := c.history(l)
			if err := l.Check(begin, end, c.seen); (err != nil) != c.wrong {
				t.Errorf("seen %v: %v", c.seen, err)
			}
		})
	}
}

// acknowledged writes the groups one after the other; then comes the read.
func acknowledged(groups ...int) func(*Ledger) (int64, int64) {
	return func(l *Ledger) (int64, int64) {
		for _, g := range groups {
			l.Begin(g)
			l.End(g, Done)
		}
		return l.Now(), l.Now()
	}
}

// during reads while group 0 is written, and then group 1.
func during(l *Ledger) (begin, end int64) {
	begin = l.Now()
	acknowledged(0, 1)(l)
	return begin, l.Now()
}

// ending writes group 0 once for each outcome; then comes the read.
func ending(outcomes ...Outcome) func(*Ledger) (int64, int64) {
	return func(l *Ledger) (int64, int64) {
		for _, o := range outcomes {
			l.Begin(0)
			l.End(0, o)
		}
		return l.Now(), l.Now()
	}
}

// joint reads while both groups are written at one instant.
func joint(l *Ledger) (begin, end int64) {
	begin = l.Now()
	l.BeginJoint([]int{0, 1})
	return begin, l.Now()
}

// jointThen goes on with a write of group 0 alone.
func jointThen(l *Ledger) (begin, end int64) {
	begin, _ = joint(l)
	l.End(0, Done)
	l.End(1, Done)
	acknowledged(0)(l)
	return begin, l.Now()
}
