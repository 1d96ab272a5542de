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
		var statuses []Status
		var task *Task
		ready := make(chan struct{})
		task = submit(t, p, jobFunc(func(context.Context) (bool, error) {
			<-ready
			statuses = append(statuses, task.Status())
			if len(statuses) == 1 {
				panic(fmt.Sprint("row of ", "alice"))
			}
			return true, nil
		}))
		close(ready)
		wantEnd(t, task, nil)
		if len(statuses) != 2 || statuses[1].Failures != 1 || !errors.Is(statuses[1].LastErr, ErrPanicked) {
			t.Errorf("statuses %+v", statuses)
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
