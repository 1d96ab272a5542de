package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/auth"
)

// credentials are those of one connection, where a provider streams them. The pool tells a connection that waits in it about new
// ones; the writer's own is replaced. It is the provider's listener.
type credentials struct {
	renewed atomic.Bool // others have come since

	mu     sync.Mutex // guards latest
	latest auth.Credentials

	cancel auth.UnsubscribeFunc // nil: nothing is streamed
}

// subscribe makes options that stream credentials into options that ask for the latest of them: a Conn of go-redis cannot
// stream.
func subscribe(o *redis.Options) (*credentials, error) {
	c := &credentials{}
	provider := o.StreamingCredentialsProvider
	if provider == nil {
		return c, nil
	}
	first, cancel, err := provider.Subscribe(c)
	if err != nil {
		return nil, fmt.Errorf("tablecache: subscribing to credentials: %w", err)
	}
	c.cancel = cancel
	c.mu.Lock()
	if c.latest == nil {
		c.latest = first
	}
	c.mu.Unlock()
	o.StreamingCredentialsProvider = nil
	o.CredentialsProviderContext = func(context.Context) (user, password string, err error) {
		user, password = c.get().BasicAuth()
		return user, password, nil
	}
	return c, nil
}

func (c *credentials) get() auth.Credentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest
}

// OnNext is told of new credentials. A provider may tell the first ones too.
func (c *credentials) OnNext(next auth.Credentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest != nil && c.latest.RawCredentials() != next.RawCredentials() {
		c.renewed.Store(true)
	}
	c.latest = next
}

// OnError is told that new credentials could not be had: those that there are go on to be used.
func (*credentials) OnError(error) {}

func (c *credentials) unsubscribe() {
	if c.cancel != nil {
		_ = c.cancel() // a provider that fails to forget us is told nothing more
	}
}
