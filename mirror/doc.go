// Package mirror keeps a table of package table in memory, in every process that reads it, exact and by itself up to date.
//
// [Open] copies a table and then follows it through the change feed that its owner keeps. A [Mirror] has the verbs of a table.Reader, and
// answers from memory: both are a table.KeyReading, so that moving a handler from the one to the other is a change of one line. A read is
// of one moment, whatever is written, merged or reloaded meanwhile; it waits for nobody, makes nobody wait, and takes no lock.
// [Mirror.Snapshot] is one moment for several reads. A merge, of a million records too, is seen at one instant.
//
// # How old it is
//
// [Mirror.Age] is proven: all that the server had acknowledged so long ago is shown. While Redis is away reads go on and the age grows;
// with [WithMaxAge] they say table.ErrStale then. After a gap, a lost connection, a fail-over or FLUSHALL the mirror heals itself; until
// then it shows the old moment, and never a mix. [Mirror.WaitFor] waits until a write of another process is shown.
//
// # Changes
//
// [Mirror.Changes] tells what is part of a spec, and then what enters, changes in and leaves it: for pages that are live, say.
//
// # Records are shared
//
// Records that a mirror yields share memory with it: strings, slices, maps and what pointers lead to are those of the mirror, and of
// all other readers. They are read-only. The fields of the struct itself are the caller's own. Who wants to change more copies first: a
// slice by slices.Clone, a map by maps.Clone, and what a pointer leads to by hand:
//
//	f.Stops = slices.Clone(f.Stops)
//	f.Stops[0] = "Rome"
//
// # Memory
//
// A record with two indexes takes about 160 bytes beside what it takes in a slice (measured: 382 in all, instead of 224). While a
// reload is staged, or the table is copied anew, what has changed is there twice, with all that is held beside it: while everything was
// staged, 766 bytes a record, and while all of it was copied anew, up to 850. Records that stay as they are, are shared (a copy has trees of
// its own). A [Snapshot], and a loop over Changes that does not go on, keep what has changed since. A reload of more than half of the
// feed (table.WithFeed) is not told while it is staged: then the mirror copies the table after the merge, and shows the old moment
// meanwhile.
//
// # Where to find what
//
//	apply.go       what Follow tells, applied
//	cell.go        a record as it is held
//	changes.go     telling what changes
//	difference.go  how two versions differ
//	follow.go      the goroutine
//	journal.go     what has changed lately
//	mirror.go      the type Mirror, opening and closing
//	options.go     what Open can be told
//	page.go        listings, a page at a time
//	positions.go   what was passed lately
//	reading.go     reading
//	rows.go        rows in their trees
//	snapshot.go    several reads of one moment
//	stats.go       how a mirror is doing
//	tree.go        ordered sets of cells
//	version.go     a table at one moment
//	wait.go        waiting for a position
package mirror
