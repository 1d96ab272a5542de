package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestMailboxIsBoundedAndServesWaitingSendersInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := NewMailbox[int](3)
		in := 0
		for i := range 10 {
			go func() {
				if err := box.Send(t.Context(), nil, i); err != nil {
					t.Error(err)
				}
				in++
			}()
			synctest.Wait()
		}
		if in != 3 || box.Len() != 3 {
			t.Errorf("%d of 10 were sent, the mailbox has %d, want 3 and 3", in, box.Len())
		}
		for i := range 10 {
			if got := <-box.C(); got != i {
				t.Errorf("message %d is %d", i, got)
			}
			synctest.Wait()
			if want := min(10, 4+i); in != want {
				t.Errorf("%d were sent after %d were received, want %d", in, i+1, want)
			}
		}
	})
}

func TestMailboxHoldsOneAtLeast(t *testing.T) {
	t.Parallel()
	box := NewMailbox[string](-1)
	if err := box.Send(context.Background(), nil, "a"); err != nil || box.Len() != 1 {
		t.Errorf("%v, the mailbox has %d", err, box.Len())
	}
}

func TestMailboxSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := NewMailbox[int](1)
		why := errors.New("the client hung up")
		ctx, cancel := context.WithCancelCause(t.Context())
		if err := box.Send(ctx, nil, 1); err != nil {
			t.Fatal(err)
		}
		go func() {
			<-time.After(time.Minute)
			cancel(why)
		}()
		start := time.Now()
		err := box.Send(ctx, nil, 2)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		<-box.C()
		for range 20 { // even with room in the mailbox
			if err := box.Send(ctx, nil, 3); !errors.Is(err, context.Canceled) || box.Len() != 0 {
				t.Fatalf("%v, and the mailbox has %d, though the context was over before", err, box.Len())
			}
		}
	})
}

func TestMailboxSendEndsWithItsReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, done := NewMailbox[int](1), make(chan struct{})
		if err := box.Send(t.Context(), done, 1); err != nil {
			t.Fatal(err)
		}
		go func() {
			<-time.After(time.Minute)
			close(done)
		}()
		if err := box.Send(t.Context(), done, 2); !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want %v", err, ErrClosed)
		}
		<-box.C()
		for range 20 {
			if err := box.Send(t.Context(), done, 3); !errors.Is(err, ErrClosed) || box.Len() != 0 {
				t.Fatalf("%v, and the mailbox has %d, though the reader ended before", err, box.Len())
			}
		}
	})
}
