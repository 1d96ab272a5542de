package engine

// intake is a mailbox and the one request that was taken from it too early: it goes first next
// time. Only the actor uses it, but for the mailbox itself.
type intake struct {
	box  *Mailbox[*request]
	held *request
	kept chan struct{} // closed from the start
}

func newIntake(n int) intake {
	in := intake{box: NewMailbox[*request](n), kept: make(chan struct{})}
	close(in.kept)
	return in
}

// fresh returns the mailbox's channel if the actor may take from it now, else nil: then the
// actor's select passes over it, and its writers wait (D10).
func (in *intake) fresh(admitted bool) <-chan *request {
	if !admitted || in.held != nil {
		return nil
	}
	return in.box.C()
}

// ready returns a channel that is closed if the held request may be taken now, else nil.
func (in *intake) ready(admitted bool) <-chan struct{} {
	if !admitted || in.held == nil {
		return nil
	}
	return in.kept
}

// release returns the held request.
func (in *intake) release() *request {
	r := in.held
	in.held = nil
	return r
}

// next returns what else waits, without waiting; nil if nothing does.
func (in *intake) next() *request {
	select {
	case r := <-in.box.C():
		return r
	default:
		return nil
	}
}

// len returns how many requests wait.
func (in *intake) len() int {
	n := in.box.Len()
	if in.held != nil {
		n++
	}
	return n
}
