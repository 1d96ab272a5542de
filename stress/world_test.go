package stress

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// The worlds of the readers' table: groups of members, as in a fleet, whose content a revision determines. So a process that
// knows nothing but a revision below which it must not go can judge an answer.
const (
	worldGroups = 12
	worldSlots  = 6
	worldBlock  = 40 // revisions from one reload of everything to the next; an owner begins with such a reload
)

// world is what the table holds after a change.
type world struct {
	revision int64
	versions [worldGroups]int64 // the revision that has written the group; none: it is not there
}

const none = -1

// emptyWorld is a table before its first change.
func emptyWorld() *world {
	w := &world{revision: none}
	w.clear()
	return w
}

func (w *world) clear() {
	for g := range w.versions {
		w.versions[g] = none
	}
}

// action is what a change does.
type action int

const (
	putGroup action = iota
	deleteGroup
	reloadAll
	reloadHalf // the first half of the groups: every other one is discarded, the others are put
	clearAll
)

// changeOf tells what the change that leads to a revision does, and to which group.
func changeOf(revision int64) (action, int) {
	group := int(revision * 7 % worldGroups)
	switch i := revision % worldBlock; {
	case i == 0:
		return reloadAll, 0
	case i == 20:
		return reloadHalf, 0
	case i == 33:
		return clearAll, 0
	case i%8 == 5:
		return deleteGroup, group
	}
	return putGroup, group
}

// step makes the next change.
func (w *world) step() {
	w.revision++
	switch do, group := changeOf(w.revision); do {
	case putGroup:
		w.versions[group] = w.revision
	case deleteGroup:
		w.versions[group] = none
	case clearAll:
		w.clear()
	case reloadAll:
		for g := range w.versions {
			w.versions[g] = w.revision
		}
	case reloadHalf:
		for g := range worldGroups / 2 {
			w.versions[g] = w.revision
			if g%2 == 0 {
				w.versions[g] = none
			}
		}
	}
}

// variantOf is the variant of the keys that a revision writes: a reload puts new ones, and discards the old.
func variantOf(revision int64) int64 { return revision / worldBlock % 2 }

// memberOf is a member of a group that a revision has written.
func memberOf(group int, slot, revision int64) member {
	return member{memberKey(group, slot, variantOf(revision)), int64(group), slot, revision}
}

// membersOf are all members of a group.
func membersOf(group int, revision int64) (all []member) {
	for s := range int64(worldSlots) {
		all = append(all, memberOf(group, s, revision))
	}
	return all
}

// members are the first n members in the order of the index "at", from a score on.
func (w *world) members(from int64, n int) (all []member) {
	for at := from; at < worldSlots*worldGroups && len(all) < n; at++ {
		if g := int(at % worldGroups); w.versions[g] != none {
			all = append(all, memberOf(g, at/worldGroups, w.versions[g]))
		}
	}
	return all
}

// behind are the first n members behind one that may be of another world, so that one with a later key has its place.
func (w *world) behind(m *member, n int) []member {
	if m == nil {
		return w.members(0, n)
	}
	all := w.members(m.Slot*worldGroups+m.Group, n+1)
	if len(all) > 0 && all[0].Slot == m.Slot && all[0].Group == m.Group && all[0].Key <= m.Key {
		all = all[1:]
	}
	return all[:min(n, len(all))]
}

// count is how many members there are.
func (w *world) count() (n int) {
	for _, v := range w.versions {
		if v != none {
			n += worldSlots
		}
	}
	return n
}

// mostSteps is how far behind the present the newest answer of a process may be.
const mostSteps = 100_000

// find returns the first world from w on that fits. It is w itself if that fits.
func (w *world) find(fits func(*world) bool) (*world, error) {
	next := *w
	for range mostSteps {
		if fits(&next) {
			return &next, nil
		}
		next.step()
	}
	return nil, fmt.Errorf("is of no moment from revision %d on", w.revision)
}

// groupsRead are the versions of some groups in one answer.
type groupsRead struct {
	asked    [worldGroups]bool
	versions [worldGroups]int64
	slots    [worldGroups]uint
}

func newGroupsRead(low, high int) *groupsRead {
	r := &groupsRead{versions: emptyWorld().versions}
	for g := low; g < high; g++ {
		r.asked[g] = true
	}
	return r
}

// add adds a record of the answer, which must be one that the group can have.
func (r *groupsRead) add(m member) error {
	if m.Group < 0 || m.Group >= worldGroups || m.Slot < 0 || m.Slot >= worldSlots || m.Version < 0 ||
		m != memberOf(int(m.Group), m.Slot, m.Version) {
		return fmt.Errorf("holds %+v, which nobody has written", m)
	}
	bit := uint(1) << m.Slot
	switch g := m.Group; {
	case !r.asked[g]:
		return fmt.Errorf("holds group %d, which it must not", g)
	case r.slots[g]&bit != 0:
		return fmt.Errorf("holds slot %d of group %d twice", m.Slot, g)
	case r.slots[g] != 0 && r.versions[g] != m.Version:
		return fmt.Errorf("is a mix: group %d has versions %d and %d", g, r.versions[g], m.Version)
	default:
		r.slots[g] |= bit
		r.versions[g] = m.Version
	}
	return nil
}

// whole returns an error if a part of a group is missing.
func (r *groupsRead) whole() error {
	for g, slots := range r.slots {
		if n := bits.OnesCount(slots); n != 0 && n != worldSlots {
			return fmt.Errorf("holds %d of %d members of group %d", n, worldSlots, g)
		}
	}
	return nil
}

func (r *groupsRead) fits(w *world) bool {
	for g, asked := range r.asked {
		if asked && r.versions[g] != w.versions[g] {
			return false
		}
	}
	return true
}

// groupsSpec is all members of some groups: an interval a slot.
func groupsSpec(low, high int) table.Spec[member] {
	return (&fleet{groups: worldGroups, slots: worldSlots}).spec(low, high)
}

// A judge that cannot see is none.
func TestTheWorldSees(t *testing.T) {
	w := emptyWorld()
	for range 3*worldBlock + 8 {
		w.step()
	}
	past := *w
	for range 5 {
		w.step()
	}
	whole := func(of *world) *groupsRead {
		r := newGroupsRead(0, worldGroups)
		for _, m := range of.members(0, of.count()) {
			ok(t, r.add(m))
		}
		ok(t, r.whole())
		return r
	}
	if found, err := past.find(whole(w).fits); err != nil || found.revision != w.revision {
		t.Errorf("the present is %v, %v", found, err)
	}
	if _, err := w.find(whole(&past).fits); err == nil {
		t.Error("an answer that goes back is taken for one of later")
	}
	mixed := past
	mixed.versions[0], mixed.versions[5] = none, w.revision+1
	if _, err := past.find(whole(&mixed).fits); err == nil {
		t.Error("a mix is taken for one moment")
	}
	all := w.members(0, w.count())
	torn := newGroupsRead(0, worldGroups)
	ok(t, torn.add(all[0]))
	if torn.whole() == nil || torn.add(all[0]) == nil {
		t.Error("a torn answer, or one that holds a record twice, is taken for a whole one")
	}
	other := all[0]
	other.Slot, other.Version = 1, other.Version-1
	other.Key = memberKey(int(other.Group), 1, variantOf(other.Version))
	if torn.add(other) == nil {
		t.Error("two versions of a group are taken for one")
	}
}
