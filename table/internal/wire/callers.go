package wire

import "context"

// ForCallers returns a context for a call of the client that is made for these callers. It ends with ctx, not with the callers'
// contexts. For one caller it has that caller's values, so that the client's hooks find them. For several callers it has nobody's
// values, and CallersOf returns their contexts.
func ForCallers(ctx context.Context, callers []context.Context) context.Context {
	if len(callers) == 0 {
		return ctx
	}
	return &callersContext{ctx, callers}
}

type callersContext struct {
	context.Context
	callers []context.Context
}

type callersKey struct{}

func (c *callersContext) Value(key any) any {
	if key == (callersKey{}) {
		return c
	}
	if len(c.callers) == 1 {
		if v := context.WithoutCancel(c.callers[0]).Value(key); v != nil {
			return v
		}
	}
	return c.Context.Value(key)
}

// CallersOf returns contexts of the callers for whom a call of the client is made, if there are several. They have the callers'
// values and never end.
func CallersOf(ctx context.Context) (callers []context.Context) {
	c, _ := ctx.Value(callersKey{}).(*callersContext)
	if c == nil || len(c.callers) == 1 {
		return nil
	}
	for _, caller := range c.callers {
		callers = append(callers, context.WithoutCancel(caller))
	}
	return callers
}
