package mirror

import (
	"time"

	"go.uber.org/zap"
)

// Option is something that Open can be told.
type Option func(*options)

type options struct {
	maxAge time.Duration // 0: any
	awaits bool
	logger *zap.Logger
}

func resolve(given []Option) options {
	o := options{logger: zap.NewNop()}
	for _, apply := range given {
		apply(&o)
	}
	return o
}

// WithMaxAge makes reads fail with table.ErrStale while what the mirror shows is older than d: while Redis cannot be reached, say. The
// table is asked at least three times within d how far it is. Without it reads go on, however old what they show is. Zero or less: as
// without it.
func WithMaxAge(d time.Duration) Option { return func(o *options) { o.maxAge = max(0, d) } }

// WithWait makes Open wait until Redis can be reached and there is a table, instead of failing.
func WithWait() Option { return func(o *options) { o.awaits = true } }

// WithLogger makes the mirror log to l what keeps it from following the table. By default it logs nothing. Neither keys nor rows
// are logged.
func WithLogger(l *zap.Logger) Option {
	return func(o *options) {
		if l != nil {
			o.logger = l
		}
	}
}
