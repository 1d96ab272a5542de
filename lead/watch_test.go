package lead

import (
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// A watch that looks at one lease after another says for how long each may last.
func TestL1_AWatchWaitsByItsOwnClock(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	lease := func(holder string, until int) table.Lease {
		return table.Lease{Holder: holder, Length: 5 * time.Second, Until: at(until)}
	}
	var w watch
	for _, look := range []struct {
		what     string
		lease    table.Lease
		now      int
		want     int
		refused  bool // then the table is asked, and refused
		leftThen int
	}{
		{"the first look waits for a renewal", lease("a", 5), -1, 1, false, 0},
		{"none has come: the server is asked", lease("a", 5), 0, 0, true, 3},
		{"what the server has said counts", lease("a", 5), 1, 2, false, 0},
		{"a renewal lasts for its length from now on", lease("a", 7), 2, 5, false, 0},
		{"however far the server's clock has jumped", lease("a", 7), 4, 3, false, 0},
		{"then the server is asked, whose clock went back", lease("a", 7), 7, 0, true, 5},
		{"and is waited for", lease("a", 9), 8, 5, false, 0},
		{"another holder", lease("b", 9), 9, 5, false, 0},
		{"given up", table.Lease{}, 10, 0, false, 0},
		{"taken again", lease("c", 9), 11, 5, false, 0},
		{"what was our own is not waited for", lease("own", 9), 12, 0, false, 0},
	} {
		w.own = "own"
		if got := w.see(look.lease, at(look.now)).Round(time.Second); max(got, 0) != time.Duration(look.want)*time.Second {
			t.Errorf("%s: %v are left, want %d s", look.what, got, look.want)
		}
		if look.refused {
			w.refused(time.Duration(look.leftThen)*time.Second, at(look.now))
		}
	}
}
