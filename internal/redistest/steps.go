package redistest

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// ShortSteps is a hook of a client. It makes each step of a deletion or discard by place look at so few entries, instead of 1,000, that a
// few records take several steps.
type ShortSteps int

// Where a call of such a script says how many entries it may look at: behind the name, the hash, the number of keys and these keys, and
// what numbered effects are given and the index.
const (
	beforeKeys = 3
	beforeMost = beforeKeys + 7
)

// DialHook changes nothing.
func (ShortSteps) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook changes nothing: no such step is in a pipeline.
func (ShortSteps) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook shortens a step.
func (n ShortSteps) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); IsStep(cmd) {
			args[beforeMost+args[2].(int)] = int(n)
		}
		return next(ctx, cmd)
	}
}

// IsStep tells whether a command is a step of a deletion or discard by place.
func IsStep(cmd redis.Cmder) bool {
	args := cmd.Args()
	if len(args) < beforeKeys || args[0] != "evalsha" {
		return false
	}
	keys, is := args[2].(int)
	if !is || len(args) < beforeMost+keys+6 {
		return false
	}
	place := args[beforeMost+keys:] // entries at most, bytes at most, interval, score, member, keys that stay
	_, most := place[0].(int)
	_, room := place[1].(int)
	_, interval := place[2].(string)
	_, stay := place[5].(int)
	return most && room && interval && stay
}
