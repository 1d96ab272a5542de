//go:build unix

package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// term is the lease of tenants.
const term = 150 * time.Millisecond

// tenant holds a table by a lease, until that has been renewed a few times, and gives it up. It says how far it is.
func tenant(parent *faulty.Talk) error {
	where, _ := parent.Hear()
	addr, name, _ := strings.Cut(where, " ")
	rdb := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: 5 * time.Second})
	tbl, err := table.Open(context.Background(), rdb, definition(name), table.WithLease(term))
	if err != nil {
		return err
	}
	parent.Say("open")
	for renewed, until := 0, tbl.LeasedUntil(); renewed < 3; {
		if now := tbl.LeasedUntil(); now != until {
			renewed, until = renewed+1, now
		}
		<-time.After(time.Millisecond)
	}
	if err := tbl.Put(context.Background(), entry{ID: 1, Version: 1}); err != nil {
		return err
	}
	parent.Say("renewed")
	err = tbl.Close()
	parent.Say("given up")
	return err
}

// A tenant dies (-9) before and after each of its commands: at the claim, at renewals, at the release. The next one gets the table within
// the lease and a second, and at once if the lease was given up.
func TestL2_ATenantIsKilledAtEachCall(t *testing.T) {
	t.Parallel()
	srv := redistest.Shared(t)
	points := 0
	for n, more := 20, true; more; n++ { // before, scripts are loaded
		for _, side := range []faulty.Side{faulty.Before, faulty.After} {
			t.Run(fmt.Sprint(side, n), func(t *testing.T) {
				proxy, name := proxied(t, srv)
				child := faulty.Spawn(t, "tenant")
				reached := atPoint(proxy, n, side, child.Kill)
				child.Say(proxy.Addr(), name)
				done := child.Rest()
				if more = more && len(reached) > 0; !more && len(done) != 3 {
					t.Fatalf("nobody killed the tenant, and it ended after %q", done)
				}
				wantSuccessor(t, srv, name, len(done) == 3)
				points++
			})
		}
	}
	if points < 20 {
		t.Errorf("only %d points", points)
	}
	t.Logf("%d points", points)
}

// wantSuccessor opens a table with a lease, which must be possible soon, and at once if the lease before was given up.
func wantSuccessor(t *testing.T, srv *redistest.Server, name string, givenUp bool) {
	t.Helper()
	rdb, begin := srv.Client(t), time.Now()
	for {
		tbl, err := table.Open(t.Context(), rdb, definition(name), table.WithLease(term))
		if err == nil {
			t.Cleanup(func() { tbl.Close() })
			break
		}
		if !errors.Is(err, table.ErrHeld) || givenUp {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > term+time.Second {
			t.Fatalf("after %v: %v", took, err)
		}
	}
	wantSound(t, rdb, name)
}
