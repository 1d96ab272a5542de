package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// told is the last line of the figures, when requests may have failed and no answer was wrong.
var told = regexp.MustCompile(`(?m)^all +[1-9]\d* +\S+ +\S+ +\S+ +\d+ +0 +0 +0 +\S+$`)

// visitWhile plays all acts, and lets something happen to Redis meanwhile, when the visitor has begun. All must be as ever, but for what
// Redis has acknowledged and lost: that is told (ErrLost), and nothing else may be wrong.
func visitWhile(t *testing.T, url string, happens func()) {
	t.Helper()
	var diag printed
	out := newFirstLine()
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"-redis", url, "-time", "3s", "-lease", "1s", "-reload", "500ms"}, out, &diag)
	}()
	<-out.line
	happens()
	code := <-ended
	text := string(out.begun)
	isTold := told.MatchString(text) && strings.Contains(diag.String(), table.ErrLost.Error())
	if !isTold && (code != 0 || !all.MatchString(text)) {
		t.Errorf("exit status %d\n%s%s", code, text, &diag)
	}
	t.Log(text)
}

// On a cluster of three primaries with replicas the slot of the table is moved, and then its primary is killed.
func TestClusterWhoseSlotIsMovedAndWhosePrimaryIsKilled(t *testing.T) {
	c := redistest.StartSharded(t)
	key := tableName + ":m"
	visitWhile(t, "redis-cluster://"+c.Addrs()[0]+"?addr="+strings.Join(c.Addrs()[1:], "&addr="), func() {
		c.MoveSlot(t, key, nil)
		c.FailOver(t, key, func() {})
	})
}

// Behind sentinels the primary is killed.
func TestSentinelsWhosePrimaryIsKilled(t *testing.T) {
	w := redistest.StartWatched(t, 1)
	visitWhile(t, "redis-sentinel://"+w.Addrs()[0]+"?master_name="+redistest.WatchedName+"&addr="+strings.Join(w.Addrs()[1:], "&addr="), func() {
		w.FailOver(t, func() {})
	})
}
