package cleanup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestAPanicIsAnErrorIsRetriedAndHidesItsValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		p := NewPool(1, WithLogger(zap.New(core)))
		defer closePool(t, p)
		var seen []Status
		var task *Task
		ready := make(chan struct{})
		task = submit(t, p, jobFunc(func(context.Context) (bool, error) {
			<-ready
			seen = append(seen, task.Status())
			if len(seen) == 1 {
				panic(fmt.Sprint("row of ", "alice"))
			}
			return true, nil
		}))
		close(ready)
		wantEnd(t, task, nil)
		if len(seen) != 2 || seen[1].Failures != 1 || !errors.Is(seen[1].LastErr, ErrPanicked) {
			t.Errorf("seen %+v", seen)
		}
		checkLog(t, logs)
	})
}

func checkLog(t *testing.T, logs *observer.ObservedLogs) {
	t.Helper()
	if logs.Len() != 2 {
		t.Errorf("%d log lines, want 2: the panic and the failed step", logs.Len())
	}
	for _, entry := range logs.All() {
		text := fmt.Sprintf("%s %s", entry.Message, entry.ContextMap())
		if strings.Contains(text, "alice") {
			t.Errorf("the value is in the log: %s", text)
		}
		if entry.ContextMap()["table"] != "t" {
			t.Errorf("the table is not in the log: %s", text)
		}
	}
}

func TestBeingStoppedIsNotLoggedAsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		p := NewPool(1, WithLogger(zap.New(core)))
		defer closePool(t, p)
		task := submit(t, p, jobFunc(until))
		synctest.Wait()
		task.Stop()
		synctest.Wait()
		if logs.Len() != 0 {
			t.Errorf("logged %v", logs.All())
		}
	})
}
