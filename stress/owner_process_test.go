package stress

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/table"
)

// ownWorlds is the role of an owner: it makes one change after another, until somebody kills it or takes the table over.
func ownWorlds(parent *faulty.Talk) error {
	redis.SetLogger(silent{})
	line, _ := parent.Hear()
	var addr, name string
	if _, err := fmt.Sscan(line, &addr, &name); err != nil {
		return err
	}
	ctx, rdb := context.Background(), processClient(addr)
	tbl, err := table.Open(ctx, rdb, memberTable(name, worldGroups))
	for err != nil && !isInexcusable(err) {
		tbl, err = table.Open(ctx, rdb, memberTable(name, worldGroups))
	}
	if err == nil {
		o := &ownerProcess{parent: parent, tbl: tbl}
		err = o.own(ctx)
	}
	if err != nil && !errors.Is(err, table.ErrFenced) {
		parent.Say(saysWrong, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// ownerProcess is a process that owns the table.
type ownerProcess struct {
	parent *faulty.Talk
	tbl    *members
}

// own asks for a block and makes its changes, again and again.
func (o *ownerProcess) own(ctx context.Context) error {
	for {
		o.parent.Say(saysBlock)
		line, heard := o.parent.Hear()
		if !heard {
			return nil
		}
		w := emptyWorld()
		if _, err := fmt.Sscan(line, &w.revision); err != nil {
			return err
		}
		w.revision = w.revision*worldBlock - 1
		for range worldBlock {
			w.step()
			if err := o.persist(ctx, w); err != nil {
				return err
			}
			o.parent.Say(saysDone, o.tbl.Position(), w.revision)
		}
	}
}

// persist makes the change that leads to a world. After an error that a fault explains it is certainly not made, or it does no harm
// to make it again.
func (o *ownerProcess) persist(ctx context.Context, w *world) error {
	for {
		err := o.change(ctx, w)
		if err == nil || isInexcusable(err) {
			return err
		}
	}
}

func (o *ownerProcess) change(ctx context.Context, w *world) error {
	switch do, group := changeOf(w.revision); do {
	case deleteGroup:
		return o.remove(ctx, w, group)
	case reloadAll:
		return o.reload(ctx, o.tbl.All("at"), w.members(0, w.count()))
	case reloadHalf:
		half := *w
		for g := worldGroups / 2; g < worldGroups; g++ {
			half.versions[g] = none
		}
		return o.reload(ctx, groupsSpec(0, worldGroups/2), half.members(0, half.count()))
	case clearAll:
		return o.tbl.Clear(ctx)
	default:
		return o.tbl.Put(ctx, membersOf(group, w.revision)...)
	}
}

// remove deletes a group by its keys, or by where they are.
func (o *ownerProcess) remove(ctx context.Context, w *world, group int) error {
	if w.revision/worldBlock%2 == 0 {
		_, err := o.tbl.Delete(ctx, groupsSpec(group, group+1))
		return err
	}
	var keys []string
	for _, m := range membersOf(group, w.revision) {
		keys = append(keys, m.Key)
	}
	_, err := o.tbl.DeleteKeys(ctx, keys...)
	return err
}

// reload replaces what a spec has by some members, at one instant. Before, it stages something else and drops it.
func (o *ownerProcess) reload(ctx context.Context, s table.Spec[member], by []member) error {
	if err := o.tbl.ScratchAbort(ctx); err != nil { // what an attempt before this one has left
		return err
	}
	if err := o.tbl.ScratchPut(ctx, membersOf(0, none)...); err != nil { // of a revision that nobody must see
		return err
	}
	if err := o.tbl.ScratchAbort(ctx); err != nil {
		return err
	}
	if _, err := o.tbl.ScratchDiscard(ctx, s); err != nil {
		return err
	}
	for len(by) > 0 {
		n := min(20, len(by))
		if err := o.tbl.ScratchPut(ctx, by[:n]...); err != nil {
			return err
		}
		by = by[n:]
	}
	return o.tbl.ScratchMerge(ctx)
}
