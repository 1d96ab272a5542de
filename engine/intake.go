package engine

// intake is a mailbox and at most one deferred request. The actor has received that request, but it could
// not join the batch of that moment, so it comes first next time. Only the actor uses an intake; callers
// use the mailbox alone.
type intake struct {
	box      *Mailbox[*request]
	deferred *request
	open     bool          // the actor may receive from it now
	always   chan struct{} // closed from the start, so that it can always be received from
}

func newIntake(n int) intake {
	in := intake{box: NewMailbox[*request](n), always: make(chan struct{})}
	close(in.always)
	return in
}

// incoming returns the mailbox's channel if the actor may receive from it now, else nil: then the
// actor's select ignores it, and its writers wait (D10).
func (in *intake) incoming() <-chan *request {
	if !in.open || in.deferred != nil {
		return nil
	}
	return in.box.C()
}

// deferredReady returns a closed channel if the deferred request may be taken now, else nil.
func (in *intake) deferredReady() <-chan struct{} {
	if !in.open || in.deferred == nil {
		return nil
	}
	return in.always
}

// takeDeferred removes and returns the deferred request.
func (in *intake) takeDeferred() *request {
	r := in.deferred
	in.deferred = nil
	return r
}

// next receives a request if one is in the mailbox; else it returns nil. It does not wait.
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
	if in.deferred != nil {
		n++
	}
	return n
}
