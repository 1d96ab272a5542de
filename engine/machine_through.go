package engine

// Config.WriteThrough: regular writes run beside a scratch session, and win over what it stages for the same keys. The actor remembers
// the keys (writtenThrough); the machine says when.

// maybeRemember has the keys of the current effect remembered, which was applied, if a session is on.
func (m *machine) maybeRemember() {
	if m.writeThrough && m.current.kind.isRegular() && m.sessionOn() {
		m.emit(action{do: doRemember, ticket: m.current.ticket})
	}
}

func (m *machine) forgetWrittenThrough() {
	if m.writeThrough {
		m.emit(action{do: doForget})
	}
}

// handleNeedless answers the callers of an effect of which nothing was left: all that it would stage was written through. It is not
// sent, and its number is the next effect's.
func (m *machine) handleNeedless() {
	if m.current.phase == applying {
		m.finish(nil)
	}
}
