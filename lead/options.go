package lead

import (
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// Option is something that Run can be told.
type Option func(*options)

type options struct {
	lease  time.Duration
	table  []table.Option
	logger *zap.Logger
}

func resolve(given []Option) options {
	o := options{lease: 5 * time.Second, logger: zap.NewNop()}
	for _, apply := range given {
		apply(&o)
	}
	return o
}

// open are the options that the table is opened with: what Run was told wins over the caller's own lease, and their logger over Run's.
func (o *options) open() []table.Option {
	return append([]table.Option{table.WithLogger(o.logger)}, append(o.table[:len(o.table):len(o.table)], table.WithLease(o.lease))...)
}

// WithLease sets how long the lease is, and so for how long at most a table is without an owner after one has died. It should be long
// compared with a pause of the process or of Redis: an owner that cannot renew its lease for so long has its work ended. All processes
// of a fleet should have the same. The default is 5 s; zero or less: the default.
func WithLease(d time.Duration) Option {
	return func(o *options) {
		if d > 0 {
			o.lease = d
		}
	}
}

// WithTable sets how the table is opened. A table.WithLease among the options does not count.
func WithTable(opts ...table.Option) Option {
	return func(o *options) { o.table = append(o.table, opts...) }
}

// WithLogger makes Run, and the table unless WithTable says otherwise, log to l: who takes the table over, why, and for how long it was without an owner,
// how a term ends, and what keeps this process from its turn. By default nothing is logged. Neither keys nor rows are logged.
func WithLogger(l *zap.Logger) Option {
	return func(o *options) {
		if l != nil {
			o.logger = l
		}
	}
}
