package cache

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Option changes how New makes a cache, and NewView a view. Each says for which of them it is.
type Option func(*options)

type options struct {
	reloadEvery time.Duration
	check       func(context.Context, Diff) error
	through     bool
	fetchTime   time.Duration // 0: without end
	logger      *zap.Logger
	now         func() time.Time
	spooled     int // bytes that are fetched before anything is staged
}

func resolve(opts []Option) options {
	o := options{logger: zap.NewNop(), now: time.Now, spooled: mostSpooled}
	for _, set := range opts {
		set(&o)
	}
	return o
}

// WithReloadEvery makes the cache reload all that is covered again and again, about d after the last time: a tenth more or less, so that many
// caches do not reload at the same moments. After a reload that has failed it tries again sooner, in a second at first, and then
// later and later. For New.
func WithReloadEvery(d time.Duration) Option { return func(o *options) { o.reloadEvery = d } }

// WithCheck makes the cache ask check before each merge. If check returns an error, the merge is not made, nothing has changed, and the
// error is ErrRefused and what check has returned. What is fetched by key is not merged, and not checked. For New.
func WithCheck(check func(ctx context.Context, d Diff) error) Option {
	return func(o *options) { o.check = check }
}

// WithReadThrough makes reads of what is not covered come from the source, all of them, whatever their Freshness: in the order and with the
// limit of the spec, and without the table. They are not stored, and are all in memory at once. Callers that ask for the same at the same time share one fetch, and
// what their records refer to: do not write to that. For New.
func WithReadThrough() Option { return func(o *options) { o.through = true } }

// WithFetchTimeout gives each fetch so much time, by its context: from its beginning until all has come, and for a large one that is staged
// on the way until that is done, too. What takes longer has failed, with ErrSource. A source that pays no heed to its context is waited for all
// the same. By default there is no such end: then a source that hangs is one that callers wait for until their contexts end. For New.
func WithFetchTimeout(d time.Duration) Option { return func(o *options) { o.fetchTime = d } }

// WithLogger makes the cache log failures of the source, and what it does by itself, to l. By default it logs nothing. Neither keys nor
// records are logged. For New.
func WithLogger(l *zap.Logger) Option { return func(o *options) { o.logger = l } }

// WithClock makes the cache take the time from now: when fetches begin, and how long ago that was. The default is time.Now. For New and
// NewView.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }
