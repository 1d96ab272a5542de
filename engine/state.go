package engine

import "fmt"

// State is a state of a table's lock.
type State uint8

// The states of the lock.
const (
	StateClear   State = iota // regular writes run, scratch writes may begin a session
	StateActive               // a scratch session is on: regular writes wait, unless they go through
	StateMerging              // a merge is being folded: all writes wait
)

// String returns the word that Redis keeps for the state.
func (s State) String() string {
	switch s {
	case StateClear:
		return "clear"
	case StateActive:
		return "active"
	case StateMerging:
		return "merging"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// String returns the name of the kind.
func (k Kind) String() string {
	names := [...]string{"none", "put", "delete", "stage", "discard", "merge", "abort", "clear", "repair", "apply", "update", "discard all", "complete"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// View is the state and the numbers of a table at one moment.
type View struct {
	State      State
	Whole      bool   // active or merging: what is staged stands for the whole table, for DiscardAll has begun the session
	Generation uint32 // how many merges there were
	Version    uint64 // grows with every in-place change of what readers see
	Seq        uint64 // the number of the last effect
}
