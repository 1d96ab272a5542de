// Package table keeps one big, denormalised result set in Redis as typed records, indexed by
// float64 scores, so that any range of it can be read at memory speed while the set is reloaded
// behind the readers' back.
//
// # Defining and opening
//
// A [Definition] names the table, its primary key, the attributes that are stored (each with a
// codec of package codec), and the indexes, each a function from record to score. [Open] takes the
// table over: there is one owner at a time, and an earlier one gets [ErrFenced] from then on.
//
// # Reading
//
// [Table.Records] ranges over the records of a [Spec]: intervals of one index, an optional
// predicate, order and limit. [Table.Stream] delivers the same through a bounded channel.
// [Table.First], [Table.Get], [Table.Lookup] and [Table.Count] are the short forms. Every read is
// a snapshot: the records as they stood at one moment of the call, whatever is written meanwhile.
// [OpenReader] returns a [Reader], which reads a table that another process owns, or none at the moment.
// [StoredDefinition] is for programs that know only the table's name. A [Position] tells
// how far a table has come: [Reader.WaitFor] waits until a write that another process has made is
// seen. [Follow] tells a [Follower] all that a table holds and everything that happens to it.
// [Table.Page] returns a listing page by page, each of the present, for a handler that keeps nothing.
//
// # Writing
//
// [Table.Put], [Table.Delete], [Table.DeleteSeq], [Table.DeleteKeys] and [Table.Clear] change the
// table at once. [Table.Apply] makes several changes at one moment, with a note ([Table.Note]) beside them;
// [Spec.IfNote] ties reads to what it says. [Table.Update] changes one
// record by what it is. To read a table, change records and write them back, range over Records and
// ScratchPut inside the loop; merge after it.
//
// # Reloading
//
// [Table.ScratchPut] and [Table.ScratchDiscard] stage changes that no reader sees; regular writes
// wait meanwhile, or go on and win over what is staged ([WithWriteThrough]). [Table.ScratchMerge] shows all of them at one instant,
// [Table.ScratchAbort] drops them. [Table.Scratch] begins a session of the caller's own: others wait for its end, and it says how it has
// ended. After a merge a pool of package cleanup folds the staged rows into the merged ones;
// readers notice nothing, writes wait until it is done ([Table.WaitClear]).
//
//	clear --first scratch write--> active --ScratchMerge--> merging --fold done--> clear
//	  ^                              |
//	  +--------ScratchAbort----------+
//
// # Errors
//
// Test errors with errors.Is and errors.As. [ErrFenced] and [ErrLost] end a table for this process:
// [Table.Done] is closed, and [Table.Err] says why. After ErrFenced leave the table to its new owner;
// after ErrLost open it with [WithReset] and load it again. [ErrUnknownOutcome] says that a write was
// under way when its context ended. A [WaitError] says what a call has waited for, and a
// [GivenUpError] that a write failed again and again. Neither errors nor logs contain keys or rows,
// only short hashes of keys ([Table.KeyHash]).
//
// # Operating
//
// [Table.Stats] tells what a table is doing. [Table.Verify] and [Table.Repair] check and mend what is
// stored. [Drop] removes a table. [LinksFrom] helps hooks that trace.
//
// # Where to find what
//
// This package has the public, typed API and nothing else. The packages below it know bytes alone: internal/layout says what is
// stored, internal/wire talks to Redis, internal/scan reads, internal/store writes. The lock is in package engine.
//
//	apply.go       several changes at one moment, with a note
//	close.go       stopping all parts, in bounded time
//	collect.go     a sequence as a slice
//	count.go       how many records a spec has
//	decode.go      rows to records
//	dedup.go       rows with the same key
//	definition.go  what a table is: key, attributes, indexes
//	drop.go        removing a table
//	encode.go      records to rows
//	errors.go      all errors
//	filter.go      which records of a page are the answer
//	guest.go       what of a Reader does not depend on the type of records
//	follow.go      telling others all that happens to a table
//	follow_entries.go  what the feed tells, as effects
//	follow_places.go   where the parts of a follower's definition are in rows
//	follow_sink.go     decoding for a follower, whose definition may be another one than the owner's
//	handle.go      what all handles on a table have
//	interval.go    intervals of scores
//	lease.go       keeping the table, where others open it with a lease
//	links.go       for whom the client sends something, for its hooks
//	lookup.go      records by their keys
//	measure.go     key, scores and size of a record
//	note.go        versions of the note
//	open.go        taking a table over
//	options.go     what Open can be told
//	owner.go       what of an open table does not depend on the type of records
//	page.go        listings, a page at a time
//	place.go       deleting by place, without reading
//	plan.go        what is to be read for a spec
//	position.go    how far a table has come, as text
//	query.go       what handles that others build must know of a spec
//	records.go     reading
//	repair.go      mending what Verify finds
//	sample.go      whether stored scores are what the definition computes
//	scores.go      scores of times, and of two things at once
//	scratch.go     staging
//	session.go     staging in a session of one's own
//	spec.go        which records a call is about
//	reader.go      reading a table that somebody else owns
//	reader_schema.go  going on where the table gets another schema
//	reader_verbs.go   what a reader can be asked
//	reading.go     reading handles as interfaces
//	stats.go       what a table is doing
//	storage.go     a table as an interface, without its key type
//	schema.go      a definition as a schema, and under a stored one
//	stored.go      the definition of a table of which only the name is known
//	stream.go      reading through a channel
//	sweep.go       judging and deleting, page by page
//	table.go       the type Table
//	token.go       where a page of a listing ended, as text
//	turns.go       callers that go one after another, for each key
//	update.go      reading, changing and writing back
//	verify.go      finding what is wrong with what is stored
//	write.go       putting and deleting
package table
