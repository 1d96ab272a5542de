package wire

import (
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Client says to Redis what is to be said about one table. It is safe for concurrent use once it is loaded.
type Client struct {
	Redis    redis.UniversalClient // the caller's: never closed
	Keys     layout.Keys
	Layout   string // what answers must bring in their truth, see layout.Proof
	Commands Commands
	dialect  dialect // known once the scripts are loaded
	scripts  []*Script
	reload   singleflight.Group
	dropping sync.Mutex // held by DropIdle
	trouble  trouble
	limits   limits
}

// NewClient returns a client of the table that has these keys, under a schema. Load the scripts before you call one.
func NewClient(rdb redis.UniversalClient, k layout.Keys, schema string, scripts []*Script) *Client {
	return &Client{Redis: rdb, Keys: k, Layout: layout.Proof(schema), Commands: newCommands(k), scripts: scripts}
}

// IsModern tells whether the server runs scripts as Redis 7 and Valkey do, and not as miniredis does.
func (c *Client) IsModern() bool { return c.dialect == modern }

// Call returns the call of a script with room for n more arguments, which follow the table's keys.
func (c *Client) Call(s *Script, n int) []any {
	args := make([]any, 0, 3+len(c.Keys.All)+n)
	args = append(args, "evalsha", s.sources[c.dialect].sha, len(c.Keys.All))
	for i := range c.Keys.All {
		args = append(args, &c.Keys.All[i])
	}
	return args
}

// CallOn returns the call of a script on other keys than the table's.
func (c *Client) CallOn(s *Script, keys []string, more ...any) []any {
	args := append(make([]any, 0, 3+len(keys)+len(more)), "evalsha", s.sources[c.dialect].sha, len(keys))
	for i := range keys {
		args = append(args, &keys[i])
	}
	return append(args, more...)
}

// Text returns what the server is sent where a script travels as text.
func (c *Client) Text(s *Script) string { return s.sources[c.dialect].text }
