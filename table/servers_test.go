package table_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Servers from Redis 7.2 on name the user in a refusal: what he is called decides nothing.
func TestP15_AUsersNameIsNotTakenForAServersWords(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for _, user := range []string{"WRONGTYPE", "NOSCRIPT", "LOADING", "compiling"} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			name := redistest.Prefix(t)
			admin, rdb := s.Client(t), limited(t, s, user, aclRule(t, name))
			tbl := openLimited(t, admin, rdb, name)
			put(t, tbl, numbered(0, 5)...)
			for _, command := range []string{"hget", "hmget", "hset", "evalsha", "script|load"} {
				setUser(t, admin, user, "-"+command)
				if _, err := table.Open(t.Context(), rdb, itemDefinition(name)); !isForbiddenAlone(err) {
					t.Errorf("open without %s: got %v, want a refusal", command, err)
				}
				setUser(t, admin, user, "+"+command)
			}
			setUser(t, admin, user, "-zcard")
			if _, err := tbl.DeleteKeys(t.Context(), 1); !isForbiddenAlone(err) {
				t.Errorf("delete: got %v, want a refusal", err)
			}
			setUser(t, admin, user, "+zcard")
			put(t, tbl, numbered(5, 6)...)
		})
	}
}

func isForbiddenAlone(err error) bool { return wire.IsForbidden(err) && !errors.Is(err, table.ErrLost) }

// A client that may not announce itself is served all the same.
func TestP15_AnUnannouncedClientIsServed(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	name := redistest.Prefix(t)
	ok(t, everyVerb(context.Background(), limited(t, s, name, aclRule(t, name)), name))
	for _, command := range refusals(t, s, name) {
		if !strings.HasPrefix(command, "client|") {
			t.Errorf("%s was refused too", command)
		}
	}
}
