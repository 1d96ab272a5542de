package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// A node that has nothing to do with the table may be dead: the table is opened, and goes on when its own node forgets the scripts.
func TestATableNeedsNoNodeOfTheClusterButItsOwn(t *testing.T) {
	t.Parallel()
	c := redistest.StartSharded(t)
	const name = "{a}t"
	rdb := c.Client(t, nil)
	other := "{b}"
	for _, tag := range []string{"{b}", "{c}", "{d}", "{e}"} {
		if c.Of(t, tag) != c.Of(t, name) {
			other = tag
		}
	}
	c.ReplicaOf(t, other).Kill(t)
	c.Of(t, other).Kill(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tbl, err := table.Open(ctx, rdb, itemDefinition(name))
	ok(t, err)
	defer tbl.Close()
	ok(t, tbl.Put(ctx, numbered(0, 5)...))
	ok(t, c.Of(t, name).Client(t).ScriptFlush(ctx).Err())
	if _, err := tbl.Count(ctx, tbl.All("at")); err != nil {
		t.Errorf("a read: %v", err)
	}
	ok(t, c.Of(t, name).Client(t).ScriptFlush(ctx).Err())
	ok(t, tbl.ScratchPut(ctx, numbered(5, 7)...))
	ok(t, tbl.ScratchMerge(ctx))
}

// A primary hands over to its replica while a client rests, and lives on as a replica, or is gone: whatever the client does next finds
// the other.
func TestAClientThatHasRestedFindsTheNewPrimary(t *testing.T) {
	t.Parallel()
	for how, change := range map[string]func(*testing.T, *redistest.Sharded, string){
		"after a planned hand-over":    func(t *testing.T, c *redistest.Sharded, key string) { c.HandOver(t, key) },
		"after the old one was killed": func(t *testing.T, c *redistest.Sharded, key string) { c.FailOver(t, key, func() {}) },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := redistest.StartSharded(t)
			const name = "{a}t"
			openOn(t, c.Client(t, nil), name)
			resting := map[string]*redis.ClusterClient{}
			for what := range rested {
				resting[what] = c.Client(t, nil)
				ok(t, resting[what].Exists(t.Context(), name).Err()) // now it knows the nodes
			}
			change(t, c, name)
			for what, do := range rested {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if err := do(ctx, resting[what], name); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				cancel()
			}
		})
	}
}

// rested is what a client may do first.
var rested = map[string]func(ctx context.Context, rdb redis.UniversalClient, name string) error{
	"Open": func(ctx context.Context, rdb redis.UniversalClient, name string) error {
		tbl, err := table.Open(ctx, rdb, itemDefinition(name))
		if err != nil {
			return err
		}
		return errors.Join(tbl.Put(ctx, numbered(0, 3)...), tbl.Close())
	},
	"OpenReader": func(ctx context.Context, rdb redis.UniversalClient, name string) error {
		r, err := table.OpenReader(ctx, rdb, itemDefinition(name))
		if err != nil {
			return err
		}
		_, err = r.Count(ctx, r.All("at"))
		return errors.Join(err, r.Close())
	},
	"StoredDefinition": func(ctx context.Context, rdb redis.UniversalClient, name string) error {
		_, err := table.StoredDefinition(ctx, rdb, name)
		return err
	},
}

// While a slot is being moved a node refuses each command on a key that is missing, also within a script: what removes a key must not
// begin then. No key has been moved yet when it is tried.
func TestG2_NothingIsHalfDoneBecauseTheSlotIsBeingMoved(t *testing.T) {
	t.Parallel()
	c := redistest.StartSharded(t)
	rdb := c.Client(t, nil)
	for what, removal := range removals {
		name := "{" + redistest.Prefix(t) + "}"
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithWriteThrough())
		ok(t, err)
		ok(t, tbl.Put(t.Context(), numbered(0, 10)...))
		ok(t, removal.stage(t.Context(), tbl))
		var tried error
		c.MoveSlot(t, name, func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if tried == nil { // once
				tried = errors.Join(errTried, removal.do(ctx, tbl))
			}
		})
		if errors.Is(tried, table.ErrLost) {
			t.Errorf("%s: %v", what, tried)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := errors.Join(tbl.Clear(ctx), tbl.Put(ctx, numbered(0, 3)...)); err != nil {
			t.Errorf("after %s: %v", what, err)
		}
		cancel()
		ok(t, tbl.Close())
		walk.Walk(t, rdb, name, "at", "rank")
	}
}

var errTried = errors.New("it was tried")

// removals remove keys of a session, or all.
var removals = map[string]struct{ stage, do verb }{
	"an abort":                   {stageFew, abortAll},
	"a fold":                     {stageFew, mergeThenFold},
	"a clear":                    {stageFew, clearing["Clear"]},
	"a fold of everything":       {stageAll, mergeThenFold},
	"another discard of all":     {stageAll, discardEvery},
	"a delete of everything":     {stageFew, deleteEvery},
	"a delete, key by key":       {stageFew, deleteEach},
	"an abort of everything":     {stageAll, abortAll},
	"a discard of what is there": {stageAll, discardStaged},
}

func stageFew(ctx context.Context, tbl *items) error { return tbl.ScratchPut(ctx, numbered(5, 15)...) }

func stageAll(ctx context.Context, tbl *items) error {
	return errors.Join(discardEvery(ctx, tbl), tbl.ScratchPut(ctx, numbered(5, 15)...))
}

func abortAll(ctx context.Context, tbl *items) error { return tbl.ScratchAbort(ctx) }

func mergeThenFold(ctx context.Context, tbl *items) error {
	return errors.Join(tbl.ScratchMerge(ctx), tbl.WaitClear(ctx))
}

func discardEvery(ctx context.Context, tbl *items) error {
	_, err := tbl.ScratchDiscard(ctx, tbl.All("at"))
	return err
}

func deleteEvery(ctx context.Context, tbl *items) error {
	_, err := tbl.Delete(ctx, tbl.All("at"))
	return err
}

func deleteEach(ctx context.Context, tbl *items) error {
	_, err := tbl.DeleteKeys(ctx, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	return err
}

func discardStaged(ctx context.Context, tbl *items) error {
	_, err := tbl.ScratchDiscardKeys(ctx, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
	return err
}
