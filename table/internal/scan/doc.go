// Package scan reads a table without knowing record types or the table's actor: keys, rows and scores are bytes here, and an
// [Authority] says what may be believed. It never writes but for [Reader.Repair].
//
// A read asks for pages. A page is one atomic answer, with the moment that it is of. Requests of all goroutines meet in the
// batcher, which sends what waits at the same moment as one pipeline. way.go says which way a page is read.
//
// # Files
//
//	audit.go       what Verify and Repair go through, step by step
//	authority.go   who says what a reader may believe, and pins snapshots for it
//	batcher.go     where requests of all goroutines meet
//	budget.go      the memory that reads in a hurry share
//	count.go       counts without reading
//	lookup.go      rows by their keys
//	own.go         rows that keep no page in memory
//	page.go        one page, and where the next one begins
//	pipeline.go    how the batcher sends requests and delivers answers
//	prefetch.go    the goroutine that fetches the pages of a long read ahead of its consumer
//	proof.go       which answers are believed, and what is asked once more
//	range.go       short ranges, several at once, by plain commands
//	rank.go        pages of a pinned snapshot by plain commands, by ranks
//	read.go        all pages of one snapshot
//	reader.go      the reader, its start and its end
//	request.go     what is asked, and the answer
//	sweep.go       pages for somebody who deletes what is on them
//	tasks.go       goroutines that Close waits for
//	visited.go     the keys that a sweep is done with
//	way.go         which way a page is read, and every number that this depends on
package scan
