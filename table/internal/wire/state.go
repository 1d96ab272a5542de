package wire

import (
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
)

// wholeSuffix ends the words of states in which what is staged stands for the whole table.
const wholeSuffix = "-whole"

// states are all the states that the truth has words for.
var states = [...]engine.View{{State: engine.StateClear}, {State: engine.StateActive}, {State: engine.StateMerging},
	{State: engine.StateActive, Whole: true}, {State: engine.StateMerging, Whole: true}}

// StateWord returns the word that the truth has for the state of a view.
func StateWord(v engine.View) string {
	if v.Whole {
		return v.State.String() + wholeSuffix
	}
	return v.State.String()
}

func parseState(text string) (s engine.State, whole bool, err error) {
	for _, v := range states {
		if text == StateWord(v) {
			return v.State, v.Whole, nil
		}
	}
	return 0, false, fmt.Errorf("%w: the state in the table's truth cannot be read", engine.ErrLost)
}

// Home says where the rows are that readers of a generation see.
type Home int

// The homes of rows.
const (
	Nowhere       Home = iota // not there any more, or not yet
	AmongMerged               // merged rows alone
	AmongStaged               // staged rows alone: a merged reload of everything, which is not folded yet
	StagedOverAll             // staged rows over merged ones
)

// HomeOf returns where readers of a generation find its rows, in this view.
func HomeOf(v engine.View, generation uint32) Home {
	merging := v.State == engine.StateMerging
	switch {
	case merging && v.Generation == generation+1, !merging && v.Generation == generation:
		return AmongMerged
	case v.Generation != generation:
		return Nowhere
	case v.Whole:
		return AmongStaged
	}
	return StagedOverAll
}

// IsPlain tells whether all rows are in one hash, so that plain commands can read them.
func (h Home) IsPlain() bool { return h == AmongMerged || h == AmongStaged }

// KeysAt returns the names of the hash and of an index of a plain home.
func (c *Client) KeysAt(h Home, index int) (rows, entries *string) {
	if h == AmongStaged {
		return &c.Keys.Staged, &c.Keys.Shadow[index]
	}
	return &c.Keys.Rows, &c.Keys.Merged[index]
}

// Home returns where readers of the present find rows.
func (t Truth) Home() Home { return HomeOf(t.View, t.View.Generation) }

// CountAt returns how many rows a plain home has.
func (t Truth) CountAt(h Home) int {
	if h == AmongStaged {
		return t.Live
	}
	return t.Count
}
