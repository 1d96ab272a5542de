package stress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/lead"
	"github.com/tablecache-go/tablecache/table"
)

// A process of this test binary that wants to own a table, which has one group. What it and its parent tell each other:
//
//	parent  ADDRESS NAME         what it needs to begin
//	parent  resign               it is to end its term, and to stand again
//	child   owns TIME            its work has begun
//	child   done VERSION         a write of the whole group was acknowledged
//	child   over TIME            the context of its work has ended
//	child   wrong ...            what must not be
const (
	saysResign = "resign"
	saysOwns   = "owns"
	saysOver   = "over"
)

// candidateLease is how long the lease of candidates is.
const candidateLease = 500 * time.Millisecond

// groupSlots is how many members the one group has.
const groupSlots = 20

// standForOwner is the role of a candidate.
func standForOwner(parent *faulty.Talk) error {
	redis.SetLogger(silent{})
	line, _ := parent.Hear()
	var addr, name string
	if _, err := fmt.Sscan(line, &addr, &name); err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	resign := make(chan struct{})
	go func() {
		defer close(resign)
		for _, heard := parent.Hear(); heard; _, heard = parent.Hear() {
			resign <- struct{}{}
		}
	}()
	for heard := true; heard; {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			ended <- lead.Run(ctx, rdb, memberTable(name, 1), leading(parent), lead.WithLease(candidateLease))
		}()
		_, heard = <-resign
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			parent.Say(saysWrong, strings.ReplaceAll(fmt.Sprint("Run has returned ", err), "\n", "; "))
			return nil
		}
	}
	return nil
}

// leading returns work that writes the group in one version after another.
func leading(parent *faulty.Talk) func(context.Context, *members) error {
	return func(ctx context.Context, tbl *members) error {
		parent.Say(saysOwns, time.Now().UnixNano())
		err := writeVersions(ctx, tbl, func(version int64) { parent.Say(saysDone, version) })
		if err != nil && ctx.Err() == nil && !errors.Is(err, table.ErrFenced) {
			parent.Say(saysWrong, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		<-ctx.Done()
		parent.Say(saysOver, time.Now().UnixNano())
		return nil
	}
}

func writeVersions(ctx context.Context, tbl *members, done func(version int64)) error {
	last, err := tbl.First(ctx, tbl.All("at"))
	for version := last.Version + 1; err == nil && ctx.Err() == nil; version++ {
		if err = tbl.Put(ctx, groupOf(version)...); err == nil {
			done(version)
		}
	}
	return err
}

// groupOf returns the group in a version.
func groupOf(version int64) (all []member) {
	for s := range int64(groupSlots) {
		all = append(all, member{Key: memberKey(0, s, 0), Slot: s, Version: version})
	}
	return all
}
