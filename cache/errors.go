package cache

import "errors"

var (
	// ErrNotCovered: the table does not hold all that the call asks for. Cover it first, or see WithReadThrough.
	ErrNotCovered = errors.New("tablecache: not covered")
	// ErrRefused: the check (see WithCheck) has refused what a merge would have shown. The error Is also what the check has returned.
	ErrRefused = errors.New("tablecache: refused by the check")
	// ErrNoKeySource: the source is no KeySource, so that records cannot be fetched by key.
	ErrNoKeySource = errors.New("tablecache: the source cannot fetch by key")
	// ErrSource: the source has failed. The error Is also the source's own, or table.ErrPanic.
	ErrSource = errors.New("tablecache: the source has failed")
)
