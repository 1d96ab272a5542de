package engine_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
)

// toy is a Store in memory, which never fails: Settle is never needed.
type toy struct {
	rows, staged map[string]string
	truth        engine.Result
}

func (s *toy) Apply(_ context.Context, e *engine.Effect) (engine.Result, error) {
	switch e.Kind {
	case engine.Put:
		s.truth.Version++
		copyRows(s.rows, e.Rows)
	case engine.Stage:
		s.truth.State = engine.StateActive
		copyRows(s.staged, e.Rows)
	case engine.Merge:
		s.truth.State = engine.StateMerging
		s.truth.Generation++
	}
	return s.truth, nil
}

func (s *toy) Settle(context.Context, *engine.Effect) (engine.Result, bool, error) {
	return engine.Result{}, false, errors.ErrUnsupported
}

func copyRows(into map[string]string, rows []engine.Row) {
	for _, r := range rows {
		into[string(r.Key)] = string(r.Value[4:]) // behind the generation
	}
}

func row(key, value string) []engine.Row {
	return []engine.Row{{Key: engine.Bytes(key), Value: engine.Bytes("\x00\x00\x00\x00" + value)}}
}

func Example() {
	ctx := context.Background()
	folds := make(chan uint32, 1)
	store := &toy{rows: map[string]string{}, staged: map[string]string{}}
	table := engine.Start(engine.Config{Fold: func(v engine.View) { folds <- v.Generation }}, store, engine.View{})
	defer table.Close()

	fmt.Println(table.Put(ctx, row("LH1", "on time")))
	fmt.Println(table.Stage(ctx, row("LH1", "delayed")), table.View().State)

	short, cancel := context.WithTimeout(ctx, 1)
	defer cancel()
	err := table.Put(short, row("LH2", "on time")) // a scratch session is on: it waits
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, engine.ErrUnknownOutcome))

	fmt.Println(table.Merge(ctx), table.View().State)
	table.Folded(<-folds, nil) // a worker has moved the staged rows to the merged ones
	fmt.Println(table.WaitClear(ctx), table.View().State, table.View().Generation)
	// Output:
	// <nil>
	// <nil> active
	// true false
	// <nil> merging
	// <nil> clear 1
}

// A pin keeps what readers see as it is while a long read goes on; a write that waits for it makes the reader hurry.
func ExamplePin() {
	ctx := context.Background()
	table := engine.Start(engine.Config{}, &toy{rows: map[string]string{}}, engine.View{})
	defer table.Close()

	pin, err := table.Pin(ctx, table.View())
	if err != nil {
		fmt.Println(err)
		return
	}
	written := make(chan error)
	go func() { written <- table.Put(ctx, row("LH1", "on time")) }()
	<-pin.Hurry()
	fmt.Println("version", table.View().Version, "is read to its end")
	pin.Release()
	fmt.Println(<-written, "version", table.View().Version)
	// Output:
	// version 0 is read to its end
	// <nil> version 1
}

// A full mailbox makes its writers wait, for as long as their contexts last.
func ExampleMailbox() {
	closed := make(chan struct{}) // the reader's
	box := engine.NewMailbox[string](1)
	fmt.Println(box.Send(context.Background(), closed, "first"))

	ctx, cancel := context.WithTimeout(context.Background(), 1)
	defer cancel()
	fmt.Println(box.Send(ctx, closed, "second"))

	fmt.Println(<-box.C(), box.Len())
	close(closed)
	fmt.Println(box.Send(context.Background(), closed, "third"))
	// Output:
	// <nil>
	// tablecache: context deadline exceeded
	// first 0
	// tablecache: table is closed
}
