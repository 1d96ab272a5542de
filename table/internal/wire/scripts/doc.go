// Package scripts holds the Lua scripts of a table: NAME.lua beside NAME.go, which makes the calls of that script and reads
// its answers. What several scripts share is in prelude/: the prelude goes in front of a script. A script checks everything before
// its first write, because Redis does not roll a script back.
//
// # Files
//
//	abort.go    drops all that is staged
//	apply.go    stores rows, removes keys, writes the note
//	audit.go    one step of an audit of all that is stored
//	build.go    adds entries to indexes that are being built
//	clear.go    drops everything
//	count.go    how many rows lie in intervals
//	delete.go   removes rows
//	discard.go  stages tombstones
//	discardall.go  begins a session that stands for the whole table
//	drop.go     removes the table
//	effect.go   what calls and answers of numbered effects share
//	fold.go     copies staged rows to where merged rows are
//	foldwhole.go  puts staged rows in the place of all merged ones
//	lookup.go   rows by their keys
//	mark.go     what delete and discard share
//	merge.go    shows all that is staged, writes the note
//	note.go     the note
//	open.go     claims the table for a new owner
//	overlap.go  one step of counting what a merge would show
//	page.go     one page of a read
//	put.go      stores rows
//	renew.go    renews the owner's lease, or gives it up
//	repair.go   mends one thing, or declares indexes complete that were being built
//	sample.go   some rows of an index, and their scores
//	scores.go   the scores of rows in all indexes
//	scripts.go  how the scripts are put together, and all of them
//	seal.go     ends a transaction
//	settle.go   tells whether an effect was applied; if not, it never will be
//	stage.go    stores rows in the scratch space
//	stats.go    how many rows there are, and the owner's name
//	sweep.go    removes rows by where they lie
//	sweepstaged.go  discards rows by where they lie
//	update.go   stores a row in place of the one that was read
package scripts
