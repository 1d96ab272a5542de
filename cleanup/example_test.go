package cleanup_test

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/cleanup"
)

// fold moves two rows in each step.
type fold struct{ rows []string }

func (f *fold) Name() string { return "cities" }

func (f *fold) Step(context.Context) (done bool, err error) {
	n := min(2, len(f.rows))
	fmt.Println("moved", f.rows[:n])
	f.rows = f.rows[n:]
	return len(f.rows) == 0, nil
}

func Example() {
	pool := cleanup.NewPool(1)
	defer pool.Close(context.Background())

	task, err := pool.Submit(&fold{rows: []string{"Oslo", "Rome", "Lima"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-task.Done()
	fmt.Println("steps:", task.Status().Steps, "error:", task.Err())
	// Output:
	// moved [Oslo Rome]
	// moved [Lima]
	// steps: 2 error: <nil>
}
