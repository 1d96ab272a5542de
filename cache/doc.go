// Package cache fills a table from a source, a database say, and knows what of the source the table holds.
//
//	c, err := cache.New(ctx, flights, source)                             // source fetches records by intervals of scores
//	err = c.Cover(ctx, "departure", today)                                // what is missing is fetched, what is outside goes
//	err = c.Invalidate("departure", oneHour)                              // that has changed there, or may have
//	for f, err := range c.Records(ctx, flights.Range("departure", from, to), cache.Fresh()) {
//
// # Coverage
//
// What is held is the [Coverage]: intervals of the scores of one index, with all records of the source that lie in them. [Cache.Cover] makes it
// what it is given, [Cache.Reload] fetches all of it anew; each shows its outcome in one merge, and after a failure nothing has changed. What is
// not covered is [ErrNotCovered], never an empty answer, or comes from the source ([WithReadThrough]).
//
// The coverage is kept in the table's note, and changes in the same step as the records that it speaks of. So whoever owns the table next
// finds what is held, and a [View] understands it in any process: through a table.Reader, a mirror or a snapshot of one.
//
// # Freshness
//
// [Fresh] means "not invalidated", not "as the source has it now": nobody watches the source. Whoever writes there commits first, and then tells
// the cache: by intervals ([Cache.Invalidate]), both where a record was and where it is, or by key ([Cache.InvalidateKeys]). Package pg, in a module
// of its own, listens to PostgreSQL and does that by itself. A read that must be fresh fetches what it reads and is invalid; [MaxStale] and [AsIs]
// say that less will do, also while the source is away. [Cache.Refresh] fetches what is invalid before anybody reads it. Nothing is fetched unless a call
// asks for it, but by [WithReloadEvery].
//
// Invalidations have numbers, and a fetch clears only those that came before it began: what changes meanwhile is fetched again. They live in
// memory. A new owner finds all that is covered invalid, for nobody knows what it has missed, unless somebody tells it all again ([Cache.Replayed]).
//
// docs/CACHE.md says more: the life of a span, failures, other processes, how this compares, and what is not promised.
//
// # Where to find what
//
//	books.go      what is held, and what of it is invalid
//	cache.go      the type Cache: New and Close
//	cover.go      changes of what is held, one after another
//	coverage.go   the coverage, and its spans
//	errors.go     all errors
//	fetch.go      sources, and what is checked of what they yield
//	flights.go    calls that others may join
//	freshness.go  how old an answer may be
//	get.go        records by key
//	intervals.go  sets of scores
//	load.go       fetching, staging and merging
//	marks.go      which scores were invalidated, and when
//	note.go       the coverage as the table's note
//	options.go    what New can be told
//	question.go   whether what a read wants is as fresh as it must be
//	read.go       records by score
//	refresh.go    invalidating and fetching anew
//	schedule.go   reloads by themselves
//	sql.go        a source over database/sql
//	sqltime.go    times as arguments of its queries
//	stats.go      what a cache has done
//	tell.go       telling views what is invalid
//	through.go    reading what is not covered from the source
//	view.go       reading what is covered in other processes
package cache
