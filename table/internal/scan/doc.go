// Package scan reads a table. It knows neither record types nor the table's actor: keys, rows and scores are bytes here, and an
// [Authority] says what may be believed. Only [Reader.RepairLost] writes.
//
// A read consists of pages. A page is one atomic answer, with the moment that it is of. Requests of all goroutines meet in the
// batcher, which sends those that wait at the same moment as one pipeline. way.go says in which way a page is read.
//
// # Files
//
//	arrange.go     the rows of a copy, in order
//	audit.go       reading all that is stored, step by step, for Verify and Repair
//	authority.go   who says what a reader may believe, and pins snapshots for it
//	batcher.go     where requests of all goroutines meet
//	budget.go      the memory that reads in a hurry share
//	copy.go        a copy of what is asked for, as pages and entries of the feed make it
//	copying.go     reading pages and the feed for a copy; guarded pages where there can be none
//	count.go       counts without reading
//	follow.go      a copy of the whole table for somebody who is then told all that happens to it
//	keepup.go      telling him
//	lineage.go     how the table came where it is
//	listing.go     answers of the present, from any place on
//	lookup.go      rows by their keys
//	own.go         giving rows memory of their own
//	owned.go       the authority of an owner
//	page.go        one page, and where the next one begins
//	pipeline.go    how the batcher sends requests and delivers answers
//	position.go    waiting for a position
//	prefetch.go    the goroutine that fetches the pages of a long read ahead of its consumer
//	proof.go       which answers are believed, and which are confirmed first
//	range.go       range scans: short ranges, several at once, by plain commands
//	rank.go        rank scans: pages of a pinned snapshot, by plain commands
//	read.go        all pages of one snapshot
//	reader.go      the reader, its start and its end
//	request.go     a request and its answer
//	shown.go       the authority of a handle that only reads
//	staged.go      how many rows a merge would show
//	still.go       copying a table that does not move
//	sweep.go       pages for a caller that deletes what is on them
//	tasks.go       goroutines that Close waits for
//	visited.go     the keys that a sweep has dealt with
//	way.go         in which way a page is read, and every number that this depends on
package scan
