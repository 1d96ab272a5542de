package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/auth"
)

// credentials are the credentials of the writer's connection if a provider streams them; it listens to the provider. (The pool makes
// its connections use new credentials; the writer's connection is replaced.)
type credentials struct {
	renewed atomic.Bool // other credentials have come since the connection was made

	mu     sync.Mutex // guards latest
	latest auth.Credentials

	cancel auth.UnsubscribeFunc // nil: nothing is streamed
}

// subscribe replaces a streaming provider in the options by a function that returns the latest credentials, because a Conn of
// go-redis cannot stream.
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

// OnNext is called with new credentials. A provider may call it with the first ones, too.
func (c *credentials) OnNext(next auth.Credentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest != nil && c.latest.RawCredentials() != next.RawCredentials() {
		c.renewed.Store(true)
	}
	c.latest = next
}

// OnError is called when the provider has failed. The latest credentials stay in use.
func (*credentials) OnError(error) {}

func (c *credentials) unsubscribe() {
	if c.cancel != nil {
		_ = c.cancel() // nothing can be done about an error
	}
}
