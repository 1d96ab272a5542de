package engine

// admitsRegular tells whether a Put or a Delete by keys may be received now (D1, W1): to be applied, or to be refused.
func (m *machine) admitsRegular() bool { return m.admits(effectState{kind: Put}) }

// admitsSweeps tells whether a Delete that sweeps may be received now (D1).
func (m *machine) admitsSweeps() bool { return m.admits(effectState{kind: Delete, sweeps: true}) }

// admitsScratch tells whether a plain Stage or Discard may be received now (D2, D3): to be applied, or to be refused.
func (m *machine) admitsScratch() bool { return m.admits(effectState{kind: Stage}) }

func (m *machine) admits(s effectState) bool {
	return m.refusesWrites() != nil || m.isFree() && m.mayRun(s)
}

// isFree tells whether no effect has the lock, and none goes before those in the mailboxes.
func (m *machine) isFree() bool {
	return m.stopErr == nil && m.current.phase == none && m.nextCommand() < 0 && m.resumable() < 0
}

// mayRun tells whether the state and the sessions let an effect run.
func (m *machine) mayRun(s effectState) bool {
	switch k := s.kind; {
	case !m.isTurnOf(s):
		return false
	case k.isRegular() && m.writeThrough && !s.sweeps:
		return m.view.State != StateMerging
	case k.isRegular():
		return m.view.State == StateClear
	case k == Stage, k == Discard:
		return m.view.State != StateMerging
	}
	return true
}
