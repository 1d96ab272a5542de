package engine

import (
	"context"
	"errors"
)

// Mailbox is a bounded queue of messages from many writers to one reader. It is safe for
// concurrent use. It is never closed: a reader that ends closes the writers' done channel.
type Mailbox[M any] struct {
	c chan M // written by Send, read by the owner through C
}

// NewMailbox returns a mailbox that holds up to n messages, at least one.
func NewMailbox[M any](n int) *Mailbox[M] { return &Mailbox[M]{c: make(chan M, max(n, 1))} }

// Send puts m into the mailbox. While it is full, Send waits for room, first come first served,
// until ctx ends (the error Is ctx.Err()) or done is closed (ErrClosed). With an error m is not in
// the mailbox; with nil it is, but the reader may have ended at that moment.
func (b *Mailbox[M]) Send(ctx context.Context, done <-chan struct{}, m M) error {
	return b.sendUnless(ctx, done, nil, m)
}

// errObsolete: the message is no longer wanted, because the channel obsolete is closed.
var errObsolete = errors.New("engine: obsolete")

// sendUnless is Send, but also ends with errObsolete when obsolete is closed.
func (b *Mailbox[M]) sendUnless(ctx context.Context, done, obsolete <-chan struct{}, m M) error {
	select {
	case <-done:
		return ErrClosed
	default:
	}
	if ctx.Err() != nil {
		return Ended(ctx)
	}
	select {
	case b.c <- m:
		return nil
	case <-ctx.Done():
		return Ended(ctx)
	case <-done:
		return ErrClosed
	case <-obsolete:
		return errObsolete
	}
}

// C returns the channel that the owner of the mailbox receives from.
func (b *Mailbox[M]) C() <-chan M { return b.c }

// Len returns how many messages are in the mailbox, without those that wait for room.
func (b *Mailbox[M]) Len() int { return len(b.c) }
