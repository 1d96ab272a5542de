package engine

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// A call of the store that does not end holds Close up only until it is given up.
func TestP5_GiveUpEndsCloseAndAnswersEverybody(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		synctest.Wait()
		queued := r.put("b")
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			r.Close()
		}()
		synctest.Wait()
		queued.gets(ErrClosed)
		put.waits()
		if isClosed(closed) {
			t.Error("Close did not wait for the store")
		}
		r.GiveUp()
		r.GiveUp()
		put.gets(ErrUnknownOutcome, ErrClosed)
		if !isClosed(closed) {
			t.Error("Close waits")
		}
		r.Close()
	})
}

func TestP5_GiveUpOfAnIdleActorChangesNothing(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.Close()
		r.GiveUp()
	})
}

// who is a key of what a caller knows of itself.
type who struct{}

// callers is a store that tells for whom each effect is. The first call waits for go.
type callers struct {
	began, proceed chan struct{}
	seen           chan []string
}

func (c *callers) Apply(_ context.Context, e *Effect) (Result, error) {
	select {
	case c.began <- struct{}{}:
	default:
	}
	<-c.proceed
	var names []string
	for _, caller := range e.Callers {
		names = append(names, caller.Value(who{}).(string))
	}
	slices.Sort(names)
	c.seen <- names
	return Result{Verdicts: slices.Repeat([]Verdict{Marked}, len(e.Marks))}, nil
}

func (c *callers) Settle(context.Context, *Effect) (Result, bool, error) { return Result{}, true, nil }

func TestP10_AnEffectKnowsItsCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &callers{began: make(chan struct{}, 1), proceed: make(chan struct{}), seen: make(chan []string, 10)}
		a := Start(Config{}, s, View{})
		defer a.Close()
		as := func(name string, do func(context.Context) error) {
			go func() {
				if err := do(context.WithValue(context.Background(), who{}, name)); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		put := func(ctx context.Context) error { return a.Put(ctx, rows("k")) }
		as("first", put)
		<-s.began
		as("second", put)
		as("third", put)
		as("fourth", a.Clear)
		close(s.proceed)
		for _, want := range [][]string{{"first"}, {"fourth"}, {"second", "third"}} {
			if got := <-s.seen; !slices.Equal(got, want) {
				t.Errorf("an effect for %v, want %v", got, want)
			}
		}
	})
}
