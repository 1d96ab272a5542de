package redistest

import (
	"fmt"
	"testing"
	"time"
)

func TestShardedMovesASlotAndFailsOver(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c := StartSharded(t)
	t.Logf("complete after %v", time.Since(began))
	rdb := c.Client(t, nil)
	for n := range 20 {
		if err := rdb.Set(t.Context(), fmt.Sprint("{a}", n), n, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	from := c.Of(t, "{a}")
	if to := c.MoveSlot(t, "{a}", nil); to == from || c.Of(t, "{a}") != to {
		t.Error("the slot has not moved")
	}
	to := c.Of(t, "{a}")
	to.WaitReplicas(t, 1)
	to.Deafen(t)
	if err := rdb.Set(t.Context(), "{a}late", "lost", 0).Err(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	next := c.FailOver(t, "{a}", nil)
	t.Logf("fail-over after %v", time.Since(began))
	if got := get(t, next.Client(t), "{a}19"); got != "19" {
		t.Errorf("got %q, want 19", got)
	}
	if n := next.Client(t).Exists(t.Context(), "{a}late").Val(); n != 0 {
		t.Error("a deaf replica has heard it")
	}
}

func TestWatchedFailsOver(t *testing.T) {
	t.Parallel()
	began := time.Now()
	w := StartWatched(t, 2)
	t.Logf("complete after %v", time.Since(began))
	rdb := w.Client(t, nil)
	set(t, rdb, "k", "v")
	primary := w.Primary(t)
	primary.WaitReplicas(t, 2)
	primary.Deafen(t)
	set(t, rdb, "late", "lost")
	began = time.Now()
	next := w.FailOver(t, nil)
	t.Logf("fail-over after %v", time.Since(began))
	if got := get(t, next.Client(t), "k"); got != "v" || next == primary {
		t.Errorf("got %q, want v", got)
	}
	if n := next.Client(t).Exists(t.Context(), "late").Val(); n != 0 {
		t.Error("deaf replicas have heard it")
	}
}
