package table

import (
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Option changes how Open opens a table, OpenReader one for reading, or how Follow follows one. Each says which options it takes.
type Option func(*options)

type options struct {
	logger    *zap.Logger
	pool      *cleanup.Pool
	mailbox   int
	buffer    int
	grace     time.Duration
	memory    int64
	pageBytes int
	reset     bool
	evictable bool
	owner     string
	tries     int
	feedBytes int64
	through   bool
	dropping  layout.Dropping
	wait      waiting
	lease     time.Duration
	yields    bool

	proofEvery time.Duration
}

// waiting says whether OpenReader waits for a table.
type waiting int

const (
	mustBeThere waiting = iota
	untilThere
)

func defaultOptions() options {
	return options{
		logger:    zap.NewNop(),
		mailbox:   1024,
		buffer:    256,
		grace:     5 * time.Second,
		memory:    64 << 20,
		pageBytes: 256 << 10,
		feedBytes: 16 << 20,
		owner:     hostAndProcess(),
		lease:     5 * time.Second,

		proofEvery: time.Second,
	}
}

// hostAndProcess names this process.
func hostAndProcess() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// resolve applies the given options to the defaults. A value of zero or less keeps the default.
func resolve(given []Option) options {
	o := defaultOptions()
	for _, apply := range given {
		apply(&o)
	}
	return o
}

func positive[N int | int64 | time.Duration](to *N, v N) {
	if v > 0 {
		*to = v
	}
}

// WithLogger makes the table log to l. By default it logs nothing. Neither keys nor rows are logged.
func WithLogger(l *zap.Logger) Option {
	return func(o *options) {
		if l != nil {
			o.logger = l
		}
	}
}

// WithCleanup makes the table's folds run in p, which must outlive the table and which the caller
// closes. The default is a pool that all tables of the process share.
func WithCleanup(p *cleanup.Pool) Option { return func(o *options) { o.pool = p } }

// WithMailbox sets how many writes wait in each of the table's mailboxes: for regular writes, for scratch writes, and for those of a
// session that belongs to somebody. More writes wait for a place in it, first come first served. The default is 1,024.
func WithMailbox(n int) Option { return func(o *options) { positive(&o.mailbox, n) } }

// WithStreamBuffer sets how many records the channel of a Stream holds. The default is 256.
func WithStreamBuffer(records int) Option { return func(o *options) { positive(&o.buffer, records) } }

// WithSnapshotGrace sets for how long a stalled reader may hold up writes and folds, counted from
// the moment when the first of them waits for that reader. The default is 5 s.
func WithSnapshotGrace(d time.Duration) Option { return func(o *options) { positive(&o.grace, d) } }

// WithSnapshotMemory sets how much memory all long reads of the table may use together to read on quickly,
// because a write or a fold waits for them. For a Reader it is how much memory all its long reads may use together for the copies that
// they are made from. The default is 64 MiB.
func WithSnapshotMemory(bytes int64) Option { return func(o *options) { positive(&o.memory, bytes) } }

// WithPageBytes sets about how large one page of a long read is. The default is 256 KiB.
func WithPageBytes(n int) Option { return func(o *options) { positive(&o.pageBytes, n) } }

// WithReset drops what is stored under the table's name, whatever its schema, and starts anew.
func WithReset() Option { return func(o *options) { o.reset = true } }

// WithDropping drops what the table has and the definition has not: attributes, whose values are never shown again, and indexes, whose keys
// are removed. Without it they stay for owners and readers who know them: rows that this owner writes are without these attributes, and
// these indexes are built anew by the next owner who has them. An attribute that is dropped and added again is absent in all rows
// that there are.
func WithDropping() Option { return func(o *options) { o.dropping = layout.Drop } }

// WithEvictionAllowed lets Open open the table on a server that may evict its keys. What is evicted
// is ErrLost, never an empty answer.
func WithEvictionAllowed() Option { return func(o *options) { o.evictable = true } }

// WithOwner sets the owner's name, which is kept in Redis for people and told by Stats. The default is the
// host's name, a colon and the process id.
func WithOwner(name string) Option {
	return func(o *options) {
		if name != "" {
			o.owner = name
		}
	}
}

// WithTries sets how often in a row a write may fail before it is given up with a *GivenUpError. A write has failed when it was
// certainly not applied and Redis answers a small request right after. While Redis does not answer at all a write waits until its
// context ends. The default is 5.
func WithTries(n int) Option { return func(o *options) { positive(&o.tries, n) } }

// WithProofEvery sets how often Follow at least asks the table how far it is, and proves so that its Follower is in step. The default
// is a second.
func WithProofEvery(d time.Duration) Option { return func(o *options) { positive(&o.proofEvery, d) } }

// WithWait makes OpenReader and Follow wait until Redis can be reached and there is a table, instead of failing. Open does not need it
// for the table, and does not wait for a Redis that cannot be reached.
func WithWait() Option { return func(o *options) { o.wait = untilThere } }

// WithFeed bounds the change feed, from which readers and followers in other processes learn what has changed: so many bytes of the
// latest effects are kept (after a take-over up to twice that). Who falls further behind copies anew. The default is 16 MiB; with 0
// there is no feed, and writes cost a little less.
func WithFeed(bytes int64) Option { return func(o *options) { o.feedBytes = max(0, bytes) } }

// WithWriteThrough lets Put, Apply, Update and DeleteKeys go on while a scratch session is on, instead of waiting for its end: they wait
// for the fold alone. They change what readers see and what the merge will show, at one moment, and win over whatever the session stages
// for the same keys, before or after. So a reload cannot bring back what was newer than its source. What was put into the table before
// the session began is not protected in this way.
//
// DeleteKeys counts, and Update reads, what readers see and not what is staged. Delete and DeleteSeq wait for the end of the session as
// they do without the option. What was written through does not count as staged, except for Stats of a reload of everything, and is
// neither counted nor yielded as discarded. ScratchAbort takes back what was staged, and nothing that was written through.
//
// Records are staged 250 at a time, not 1,000, so that a Put waits for no more than that: a ScratchPut of more is not all or nothing, and
// its error says how many are staged.
//
// The keys that are written during a session are remembered in memory until it ends: each once, about 45 bytes for a key of 8 bytes, and
// its length more for a longer one; of the first 1,000 also the records, up to 1 MiB, which a discard of everything leaves in place.
func WithWriteThrough() Option { return func(o *options) { o.through = true } }

// WithLease makes Open take the table only if no other process holds a lease of it; else the error is ErrHeld. The lease is for d each
// time it is renewed, which is six times in that time, by the server's clock, until the table is closed. It orders those who open the
// table with it; what keeps writes apart is that an earlier owner is fenced. Package lead runs a function in the one of many processes
// that owns a table.
//
// Without the option Open takes the table over at once, and then holds a lease of 5 s in the same way, so that those who wait for
// their turn do not take the table back. A d of zero or less is 5 s.
func WithLease(d time.Duration) Option {
	return func(o *options) {
		o.yields = true
		positive(&o.lease, d)
	}
}
