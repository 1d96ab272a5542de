package wire

import (
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Client sends commands and scripts about one table to Redis. It is safe for concurrent use once Load has returned.
type Client struct {
	*link
	Keys     layout.Keys
	Layout   string // the truth must have this in its field layout: see layout.Proof
	Commands Commands
}

// link is what clients of one table share that know it under different schemas.
type link struct {
	Redis    redis.UniversalClient // the user's: we never close it
	dialect  dialect               // known once the scripts are loaded
	onlyRead bool                  // see NewReadingClient
	scripts  []*Script
	reload   singleflight.Group
	dropping sync.Mutex // held by DropIdle
	trouble  trouble
	limits   limits
	epochs   epochs
}

// NewClient returns a client of the table that has these keys and this schema. Call Load before any script.
func NewClient(rdb redis.UniversalClient, k layout.Keys, schema string, scripts []*Script) *Client {
	return clientOn(&link{Redis: rdb, scripts: scripts}, k, schema)
}

func clientOn(l *link, k layout.Keys, schema string) *Client {
	return &Client{link: l, Keys: k, Layout: layout.Proof(schema), Commands: newCommands(k)}
}

// Under returns a client of the same table that knows it under a schema, and reads and writes the rows of that. It shares everything
// else with c.
func (c *Client) Under(s layout.Schema) *Client { return c.On(s.Names(), s.Text()) }

// On is Under for a schema by its text, with these indexes.
func (c *Client) On(indexes []string, schema string) *Client {
	return clientOn(c.link, layout.KeysOf(c.Keys.Table, indexes), schema)
}

// With returns a client of the same table under the same schema, for other scripts. They are loaded when they are called.
func (c *Client) With(scripts []*Script) *Client {
	l := &link{Redis: c.Redis, dialect: c.dialect, onlyRead: c.onlyRead, scripts: scripts}
	return &Client{link: l, Keys: c.Keys, Layout: c.Layout, Commands: c.Commands}
}

// NewReadingClient returns a client for scripts that only read. It sends them by EVALSHA_RO where the server knows that, which a
// user needs no right to write for.
func NewReadingClient(rdb redis.UniversalClient, k layout.Keys, schema string, scripts []*Script) *Client {
	c := NewClient(rdb, k, schema, scripts)
	c.onlyRead = true
	return c
}

// evalsha is the command that calls a script. (A constant in an interface takes no memory.)
func (c *Client) evalsha() any {
	if c.onlyRead && c.dialect == modern {
		return "evalsha_ro"
	}
	return "evalsha"
}

// IsModern tells whether the server runs scripts as Redis 7 and Valkey do, and not as miniredis does.
func (c *Client) IsModern() bool { return c.dialect == modern }

// Call returns the call of a script on the table's keys, with room for n more arguments.
func (c *Client) Call(s *Script, n int) []any {
	args := make([]any, 0, 3+len(c.Keys.All)+n)
	args = append(args, c.evalsha(), s.sources[c.dialect].sha, len(c.Keys.All))
	for i := range c.Keys.All {
		args = append(args, &c.Keys.All[i])
	}
	return args
}

// CallOn returns the call of a script on other keys than the table's, with all arguments.
func (c *Client) CallOn(s *Script, keys []string, more ...any) []any {
	args := append(make([]any, 0, 3+len(keys)+len(more)), c.evalsha(), s.sources[c.dialect].sha, len(keys))
	for i := range keys {
		args = append(args, &keys[i])
	}
	return append(args, more...)
}

// Text returns the Lua text of a script, for calls that send it.
func (c *Client) Text(s *Script) *string { return &s.sources[c.dialect].text }
