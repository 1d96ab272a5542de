package connect

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Silence keeps go-redis from writing to standard error: what matters comes back as an error. Call it first in main.
func Silence() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
