// Package cache fills a table from a source, a database say, and knows what of the source the table holds: its coverage, some intervals of
// the scores of one index.
//
//	c, err := cache.New(ctx, t, src)                       // src fetches records by intervals of scores
//	err = c.Cover(ctx, "departure", today, tomorrow)       // fetch what is missing, drop what is outside, at one moment
//	for f, err := range c.Records(ctx, t.Range("departure", from, to), cache.Fresh()) {
//
// Cover moves the window, Reload fetches all of it anew, Invalidate and InvalidateKeys say what may have changed, and Refresh fetches just that. A
// read says how fresh its answer must be (Fresh, MaxStale, AsIs), and waits for the part that it reads if that is not.
//
// The coverage is kept in the table's note, and changes in the same step as the records it speaks of. So whoever owns the table next
// finds what is held, and a View understands it in any process: through a table.Reader or a mirror.
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
