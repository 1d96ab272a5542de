package table

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/engine"
)

// Open takes over the table that def describes, or makes it where there is none, and returns it
// ready to use: another owner, in this process or elsewhere, gets ErrFenced from then on. What an
// earlier owner staged but did not merge is dropped; a fold it left half way goes on. Open waits
// for Redis until ctx ends, which bounds nothing after Open has returned. rdb stays the caller's.
//
// It fails with ErrInvalidDefinition, with ErrUnsafeClient (a client without read time-out, one
// that reads from replicas, a server that may evict the table), with ErrSchemaMismatch (see
// WithReset), with ErrLost (keys are missing), or with what Redis says. A failing Open changes
// nothing and fences nobody, except that it may have done so where its error Is ErrUnknownOutcome:
// when ctx or the connection ended while the table was being claimed.
func Open[R any, K comparable](ctx context.Context, rdb redis.UniversalClient, def Definition[R, K], opts ...Option) (*Table[R, K], error) {
	o := resolve(opts)
	fail := func(err error) (*Table[R, K], error) { return nil, fmt.Errorf("table %s: open: %w", def.Name, err) }
	def.Attributes, def.Indexes = slices.Clone(def.Attributes), slices.Clone(def.Indexes)
	if err := def.validate(); err != nil {
		return fail(err)
	}
	if err := checkClient(rdb, def.Name); err != nil {
		return fail(err)
	}
	w := newWire(rdb, newKeys(def.Name, indexNames(def.Indexes)))
	claimed, err := w.takeOver(ctx, &o, def.schema())
	if err != nil {
		return fail(err)
	}
	return start(w, def, o, claimed), nil
}

func indexNames[R any](indexes []Index[R]) []string {
	var names []string
	for _, x := range indexes {
		names = append(names, x.name)
	}
	return names
}

// start puts the goroutines of a claimed table to work.
func start[R any, K comparable](w *wire, def Definition[R, K], o options, claimed answer) *Table[R, K] {
	t := &Table[R, K]{def: def, opts: o, wire: w, epoch: claimed.epoch, memory: newBudget(o.memory)}
	t.keeps = slices.ContainsFunc(def.Attributes, func(a Attribute[R]) bool { return a.keeps })
	t.log = o.logger.With(zap.String("table", def.Name))
	t.reader = startReader(w)
	pool, release := o.cleanupPool()
	t.release = release
	t.folds = folds{wire: w, pool: pool, name: def.Name, epoch: claimed.epoch, ready: make(chan struct{})}
	t.effects = newStore(w, claimed.epoch)
	t.actor = engine.Start(engine.Config{
		Mailbox: o.mailbox,
		Grace:   o.grace,
		Logger:  t.log,
		Fold:    t.folds.begin,
	}, t.effects, claimed.view)
	t.folds.answerTo(t.actor)
	return t
}

// takeOver does all that Open asks of Redis. When ctx ends it returns at once: a call that hangs in a socket is left to
// finish.
func (w *wire) takeOver(ctx context.Context, o *options, schema string) (answer, error) {
	type result struct {
		claimed answer
		err     error
	}
	done := make(chan result, 1)
	var claiming atomic.Bool
	go func() {
		err := w.prepare(ctx, o)
		var a answer
		if err == nil {
			claiming.Store(true)
			a, err = w.claim(ctx, schema, o.reset)
		}
		done <- result{a, err}
	}()
	select {
	case r := <-done:
		return r.claimed, r.err
	case <-ctx.Done():
		if claiming.Load() {
			return answer{}, fmt.Errorf("%w: %w", ErrUnknownOutcome, ended(ctx))
		}
		return answer{}, ended(ctx)
	}
}

// prepare looks at the server and tells it the scripts.
func (w *wire) prepare(ctx context.Context, o *options) (err error) {
	if err := checkServer(ctx, w.rdb, o, w.keys.meta); err != nil {
		return err
	}
	w.scripts, err = loadScripts(ctx, w.rdb)
	return err
}

// claim makes this process the table's owner, in one script. The random id makes a claim that is
// sent again harmless.
func (w *wire) claim(ctx context.Context, schema string, reset bool) (answer, error) {
	c := claim{schema: schema, how: "keep"}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	c.id = hex.EncodeToString(id[:])
	if reset {
		c.how = "reset"
	}
	for {
		a, err := w.runReady(ctx, w.claimArgs(c))
		switch {
		case err != nil && !isServerError(err) && !errors.Is(err, ErrLost):
			return answer{}, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		case err != nil:
			return answer{}, err
		case a.status == "SCHEMA" && reset && a.last != c.before:
			c.before = a.last // now its indexes are known, and can be dropped too
		case a.status == "SCHEMA":
			return answer{}, ErrSchemaMismatch
		case a.status != "OK":
			return answer{}, fmt.Errorf("%w: keys of it are missing, or are not its own", ErrLost)
		default:
			return a, nil
		}
	}
}

type claim struct{ id, schema, how, before string }

func (w *wire) claimArgs(c claim) []any {
	table := strings.TrimSuffix(w.keys.meta, ":m")
	old := newKeys(table, indexesIn(c.before))
	all := slices.Concat(w.keys.all, old.merged, old.shadow)
	args := []any{"evalsha", w.scripts.open.sha, len(all)}
	for _, key := range all {
		args = append(args, key)
	}
	return append(args, c.id, c.schema, len(w.keys.all), c.how, c.before)
}

// runReady sends a call that may be sent again, and waits through what passes by itself.
func (w *wire) runReady(ctx context.Context, args []any) (answer, error) {
	var reply any
	err := patiently(ctx, nil, func() (err error) {
		reply, err = w.rdb.Do(ctx, args...).Result()
		if isNoScript(err) {
			err = cmp.Or(w.scripts.load(ctx, w.rdb), err)
		}
		return err
	})
	switch {
	case err == nil:
		return parseAnswer(reply)
	case isServerError(err) && isForeignType(err):
		err = fmt.Errorf("%w: a key has a foreign type: %w", ErrLost, err)
	}
	return answer{}, err
}

// patiently calls f again as long as the server refuses for a reason that passes by itself, until ctx ends or done is closed.
func patiently(ctx context.Context, done <-chan struct{}, f func() error) error {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := f()
		if !isServerError(err) || !temporary(err) {
			return err
		}
		if err := sleep(ctx, done, pause); err != nil {
			return err
		}
	}
}
