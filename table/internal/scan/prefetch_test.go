package scan

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/engine"
)

// noStore has every effect at once.
type noStore struct{}

func (noStore) Apply(context.Context, *engine.Effect) (engine.Result, error) {
	return engine.Result{}, nil
}
func (noStore) Settle(context.Context, *engine.Effect) (engine.Result, bool, error) {
	return engine.Result{}, false, nil
}

// expiredPin returns a pin whose grace period is over.
func expiredPin(t *testing.T) *engine.Pin {
	t.Helper()
	actor := engine.Start(engine.Config{Grace: time.Millisecond, Fold: func(engine.View) {}}, noStore{}, engine.View{})
	t.Cleanup(actor.Close)
	pin, err := actor.Pin(t.Context(), engine.View{})
	if err != nil {
		t.Fatal(err)
	}
	if err := actor.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	return pin
}

// When the fold has begun, what a page of the older generation says is neither old nor new.
func TestG3_APageThatArrivesAfterItsPinHasExpiredIsThrownAway(t *testing.T) {
	t.Parallel()
	pin := expiredPin(t)
	for range 100 { // select takes either of what is ready
		f := &prefetcher{pin: pin, hurried: true, memory: newBudget(0), out: make(chan *Page), fetched: make(chan fetched, 1)}
		f.fetched <- fetched{page: &Page{Final: true}}
		if err := f.wait(t.Context()); !errors.Is(err, engine.ErrSnapshotExpired) {
			t.Fatalf("got %v, want ErrSnapshotExpired", err)
		}
	}
}
