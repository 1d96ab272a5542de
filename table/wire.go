package table

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// wire turns script calls into commands: the keys of the table go with each of them.
type wire struct {
	rdb     redis.UniversalClient
	keys    keys
	fixed   fixed
	scripts *scripts
}

func newWire(rdb redis.UniversalClient, k keys) *wire {
	return &wire{rdb: rdb, keys: k, fixed: newFixed(k)}
}

// once is a command that go-redis must not send again by itself: an error in its answer then
// proves that it was not run.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// command returns the call of a script with room for n more arguments.
func (w *wire) command(s *script, n int) []any {
	args := make([]any, 0, 3+len(w.keys.all)+n)
	args = append(args, "evalsha", s.sha, len(w.keys.all))
	for i := range w.keys.all {
		args = append(args, &w.keys.all[i])
	}
	return args
}

// run sends a call once; where the server has forgotten the script it is told again first.
func (w *wire) run(ctx context.Context, args []any) (answer, error) {
	reply, err := w.send(ctx, args)
	if isNoScript(err) {
		if err := w.scripts.load(ctx, w.rdb); err != nil {
			return answer{}, err
		}
		reply, err = w.send(ctx, args)
	}
	if err != nil {
		return answer{}, err
	}
	return parseAnswer(reply)
}

func (w *wire) send(ctx context.Context, args []any) (any, error) {
	cmd := once{redis.NewCmd(ctx, args...)}
	_ = w.rdb.Process(ctx, cmd) // the command has the error
	return cmd.Result()
}

// flush sends a pipeline, after which each command has its error. Where there is no connection because the server has
// refused one, or go-redis has closed it for such an answer, go-redis itself gives that error to none of them.
func flush(ctx context.Context, p redis.Pipeliner) {
	cmds, err := p.Exec(ctx)
	if err == nil || slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Err() != nil }) {
		return
	}
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
}
