package main

import "github.com/tablecache-go/tablecache/table"

// handle is what reads are done with: the owner's table or a reader of it.
type handle = table.KeyReading[record, int64]

const (
	byOwner   = "the same by the owner"
	feedless  = "the same without a feed (WithFeed(0))"
	atTheTop  = "the first page"
	leastRead = 0.95
	leastFed  = 0.92
	leastDeep = 0.9
)

// additions are lines that compare the library with itself, in the same run and on the same server.
var additions = []line{
	{"reader-lookup-1", "Reader: look-up by key, 1 goroutine", byOwner, "records/s", leastRead, true, read(1, readOne)},
	{"reader-lookup-128", "Reader: look-up by key, 128 goroutines", byOwner, "records/s", leastRead, true, read(128, readOne)},
	{"reader-range-100", "Reader: range of 100, 1 goroutine", byOwner, "ranges/s", leastRead, true, read(1, readRange(100))},
	{"reader-range-100-x32", "Reader: range of 100, 32 goroutines", byOwner, "ranges/s", leastRead, true, read(32, readRange(100))},
	{"reader-range-1", "Reader: range of 1, 1 goroutine", byOwner, "ranges/s", leastRead, true, read(1, readRange(1))},
	{"reader-page-50", "Reader: Page of 50, 1 goroutine", byOwner, "pages/s", leastRead, true, read(1, readPage)},
	{"reader-count", "Reader: Count of half, 1 goroutine", byOwner, "counts/s", leastRead, true, read(1, readCount)},
	{"reader-stream", "Reader: stream all (Records)", byOwner, "records/s", leastRead, true, readAll},
	{"page-deep", "Page of 50 behind 100,000 records", atTheTop, "pages/s", leastDeep, true, pageDeep},
	{"feed-bulk-put", "with a feed: bulk Put, 1,000 a call", feedless, "records/s", leastFed, true, feedBulkPut(onOurs)},
	{"feed-put-1", "with a feed: Put one, 1 goroutine", feedless, "records/s", leastFed, true, feedPut(onOurs, 1)},
	{"feed-put-128", "with a feed: Put one, 128 goroutines", feedless, "records/s", leastFed, true, feedPut(onOurs, 128)},
	{"feed-aof-bulk-put", "the same, appendonly: bulk Put", feedless, "records/s", leastFed, true, feedBulkPut(appendOnly)},
	{"feed-aof-put-1", "the same, appendonly: Put one, 1", feedless, "records/s", leastFed, true, feedPut(appendOnly, 1)},
	{"feed-aof-put-128", "the same, appendonly: Put one, 128", feedless, "records/s", leastFed, true, feedPut(appendOnly, 128)},
	{"feed-replica-bulk-put", "the same, a replica: bulk Put", feedless, "records/s", leastFed, true, feedBulkPut(replicated)},
	{"feed-replica-put-1", "the same, a replica: Put one, 1", feedless, "records/s", leastFed, true, feedPut(replicated, 1)},
	{"feed-replica-put-128", "the same, a replica: Put one, 128", feedless, "records/s", leastFed, true, feedPut(replicated, 128)},
}
