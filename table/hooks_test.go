package table_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// traceKey is the key under which a caller's trace is in its context.
type traceKey struct{}

func traced(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, traceKey{}, name)
}

// tracer is a hook that notes for whom each command is sent.
type tracer struct {
	mu     sync.Mutex          // guards all below
	alone  []string            // traces that were found in a hook's context
	linked [][]string          // traces of links
	names  map[string][]string // of the commands that were sent for a trace, or "" for none
	failed error
}

func (r *tracer) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *tracer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		r.note(ctx, cmd)
		return next(ctx, cmd)
	}
}

func (r *tracer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		r.note(ctx, cmds...)
		return next(ctx, cmds)
	}
}

func (r *tracer) note(ctx context.Context, cmds ...redis.Cmder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	trace, _ := ctx.Value(traceKey{}).(string)
	for _, cmd := range cmds {
		r.names[trace] = append(r.names[trace], cmd.Name())
	}
	links := table.LinksFrom(ctx)
	if trace != "" {
		r.alone = append(r.alone, trace)
	}
	if trace != "" && links != nil || len(links) == 1 {
		r.failed = errors.New("both a trace and links, or a link alone")
	}
	var names []string
	for _, link := range links {
		names = append(names, link.Value(traceKey{}).(string))
		if link.Err() != nil || link.Done() != nil {
			r.failed = errors.New("a link ends")
		}
	}
	if links != nil {
		slices.Sort(names)
		r.linked = append(r.linked, names)
	}
}

func newTracer() *tracer { return &tracer{names: make(map[string][]string)} }

// A verb's values reach the hooks of all that is sent for it alone: reads, transactions, scripts.
func TestP10_HooksSeeTheCallersValues(t *testing.T) {
	t.Parallel()
	for kind, client := range map[string]func(*testing.T, redis.Hook) redis.UniversalClient{
		"client": func(t *testing.T, h redis.Hook) redis.UniversalClient {
			rdb := redistest.Shared(t).Client(t)
			rdb.AddHook(h)
			return rdb
		},
		"cluster": func(t *testing.T, h redis.Hook) redis.UniversalClient {
			rdb := closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{redistest.StartCluster(t).Addr()}}))
			rdb.AddHook(h)
			rdb.OnNewNode(func(node *redis.Client) { node.AddHook(h) })
			return rdb
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			hook := newTracer()
			tbl := openOn(t, client(t, hook), "{"+redistest.Prefix(t)+"}")
			put(t, tbl, numbered(0, 10)...)
			for verb := range everyCall(tbl) {
				if verb == "no keys" || verb == "no intervals" || verb == "Put nothing" || verb == "WaitClear" {
					continue // these send nothing
				}
				if verb == "ScratchMerge" || verb == "ScratchAbort" {
					ok(t, tbl.ScratchPut(t.Context(), numbered(20, 22)...))
				}
				ctx, cancel := context.WithCancel(traced(t.Context(), verb))
				ok(t, everyCall(tbl)[verb](ctx))
				cancel()
				ok(t, tbl.ScratchAbort(t.Context()))
				ok(t, tbl.WaitClear(t.Context()))
				ok(t, tbl.Put(t.Context(), numbered(0, 10)...))
				hook.mu.Lock()
				if !slices.Contains(hook.alone, verb) {
					t.Errorf("no hook saw that anything was sent for %s", verb)
				}
				hook.mu.Unlock()
			}
			for range 3 {
				ok(t, tbl.Put(traced(t.Context(), "put"), numbered(0, 10)...))
			}
			hook.mu.Lock()
			defer hook.mu.Unlock()
			for _, want := range []string{"hset", "zadd", "exec", "watch"} {
				if !slices.Contains(hook.names["put"], want) {
					t.Errorf("no hook saw the %s of a put", want)
				}
			}
			if hook.failed != nil {
				t.Error(hook.failed)
			}
		})
	}
}

// hold is a hook that holds commands of some names up.
type hold struct {
	*tracer
	held           []string
	began, proceed chan struct{}
}

func (h *hold) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	next = h.tracer.ProcessHook(next)
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.wait(cmd)
		return next(ctx, cmd)
	}
}

func (h *hold) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	next = h.tracer.ProcessPipelineHook(next)
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.wait(cmds...)
		return next(ctx, cmds)
	}
}

func (h *hold) wait(cmds ...redis.Cmder) {
	if slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return slices.Contains(h.held, c.Name()) }) {
		h.began <- struct{}{}
		<-h.proceed
	}
}

func newHold(names ...string) *hold {
	return &hold{tracer: newTracer(), held: names, began: make(chan struct{}, 100), proceed: make(chan struct{})}
}

// Writes that travel in one effect are links of its hooks.
func TestP10_JoinedWritesAreLinks(t *testing.T) {
	t.Parallel()
	rdb, hook := redistest.Shared(t).Client(t), newHold("hset")
	tbl := openOn(t, rdb, redistest.Prefix(t))
	rdb.AddHook(hook) // the writer's connection is made at the first put
	puts := []<-chan error{async(t, func() error { return tbl.Put(traced(t.Context(), "first"), numbered(0, 1)...) })}
	receive(t, "the first put", hook.began)
	for i, name := range []string{"a", "b", "c"} {
		puts = append(puts, async(t, func() error { return tbl.Put(traced(t.Context(), name), numbered(i, i+1)...) }))
	}
	waiting(t, tbl, 3)
	close(hook.proceed)
	for _, put := range puts {
		ok(t, receive(t, "a put", put))
	}
	hook.mu.Lock()
	defer hook.mu.Unlock()
	if !slices.ContainsFunc(hook.linked, func(names []string) bool { return slices.Equal(names, []string{"a", "b", "c"}) }) {
		t.Errorf("the links were %v", hook.linked)
	}
	if hook.failed != nil {
		t.Error(hook.failed)
	}
}

// Reads that meet travel in one pipeline, whose links they are; look-ups that are joined in one command too.
func TestP10_ReadsThatMeetAreLinks(t *testing.T) {
	t.Parallel()
	for what, read := range map[string]func(context.Context, *items) error{
		"Get":   func(ctx context.Context, tbl *items) error { _, err := tbl.Get(ctx, 1); return err },
		"Count": func(ctx context.Context, tbl *items) error { _, err := tbl.Count(ctx, tbl.All("at")); return err },
		"Records": func(ctx context.Context, tbl *items) error {
			return lastError(tbl.Records(ctx, tbl.Range("at", 0, 20)))
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, hook := redistest.Shared(t).Client(t), newHold("evalsha", "hmget") // by a script, or by plain commands
			tbl := openOn(t, rdb, redistest.Prefix(t))
			put(t, tbl, numbered(0, 10)...)
			rdb.AddHook(hook)
			var reads []<-chan error
			start := func(name string) {
				reads = append(reads, async(t, func() error { return read(traced(t.Context(), name), tbl) }))
			}
			for range 4 { // each holds one sender up
				start("alone")
				receive(t, "a read", hook.began)
			}
			for _, name := range []string{"a", "b", "c", "d"} {
				start(name)
			}
			close(hook.proceed)
			for _, r := range reads {
				ok(t, receive(t, "a read", r))
			}
			hook.mu.Lock()
			defer hook.mu.Unlock()
			if hook.failed != nil {
				t.Error(hook.failed)
			}
			found := make(map[string]bool)
			for _, names := range append(hook.linked, hook.alone) {
				for _, name := range names {
					found[name] = true
				}
			}
			for _, name := range []string{"alone", "a", "b", "c", "d"} {
				if !found[name] {
					t.Errorf("%s is in no hook: alone %v, links %v", name, hook.alone, hook.linked)
				}
			}
		})
	}
}

// late is a hook that looks at commands, and at the context that they were sent with, once they are answered, as one that logs slow ones
// does: before it returns, and in a goroutine of its own.
type late struct {
	counter
	looking sync.WaitGroup
}

func (l *late) look(ctx context.Context, cmds ...redis.Cmder) {
	look := func() {
		for _, cmd := range cmds {
			_, _ = cmd.Args(), ctx.Value(traceKey{})
		}
	}
	look()
	l.looking.Go(look)
	l.looking.Go(look)
}

func (l *late) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		defer l.look(ctx, cmd)
		return next(ctx, cmd)
	}
}

func (l *late) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		defer l.look(ctx, cmds...)
		return next(ctx, cmds)
	}
}

// Hooks that look at what was answered take no answer away, and race with nothing.
func TestP10_HooksMayLookAtWhatWasAnswered(t *testing.T) {
	t.Parallel()
	rdb, hook := redistest.Start(t, redistest.Options{}).Client(t), new(late)
	rdb.AddHook(hook)
	tbl := openOn(t, rdb, "t", table.WithLease(time.Hour)) // a renewal changes what a transaction watches
	some := numbered(0, 20)
	put(t, tbl, some...)
	took(t, rdb)
	for range 3 {
		put(t, tbl, some...)
	}
	wantPaths(t, rdb, paths{transaction: 3})
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), some)
	wantItems(t, all(t, tbl.Lookup(t.Context(), some[0].ID)), some[:1])
	put(t, tbl, numbered(20, 4000)...)
	n, err := tbl.Delete(t.Context(), tbl.All("rank").Where(func(*item) bool { return false })) // so many ties that scripts come after range scans
	ok(t, err)
	if n != 0 {
		t.Errorf("%d were deleted", n)
	}
	hook.looking.Wait()
}
