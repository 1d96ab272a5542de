package wire

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Script is one Lua script as servers know it. Its text is the same for every table: no name that a user gives becomes Lua text.
type Script struct{ sources [dialects]source }

type source struct {
	text string
	sha  any // a string: as an argument, it is allocated once
}

// dialect says whether a server understands the flags in the first line of a script.
type dialect int

const (
	modern   dialect = iota // Redis 7, Valkey: they do
	old                     // servers, such as miniredis, to which "#!lua" is a syntax error
	dialects                // how many dialects there are
)

// Flags are the first line of a script.
type Flags string

// What a script may do. A script that only frees memory may run when the server has none left.
const (
	MayWrite Flags = "#!lua\n"
	MayFree  Flags = "#!lua flags=allow-oom\n"
	MayRead  Flags = "#!lua flags=no-writes\n"
)

// NewScript returns the script that consists of these pieces of Lua.
func NewScript(flags Flags, pieces ...string) *Script {
	text := strings.Join(pieces, "")
	return &Script{sources: [dialects]source{modern: newSource(string(flags) + text), old: newSource(text)}}
}

func newSource(text string) source {
	sum := sha1.Sum([]byte(text))
	return source{text: text, sha: hex.EncodeToString(sum[:])}
}

// Load loads the scripts into the server, and finds out which dialect the server speaks. It tries again after refusals that pass.
func (c *Client) Load(ctx context.Context) error {
	err := c.Retry(ctx, nil, SendAgain, func() error { return c.load(ctx) })
	if kindOf(err) != notCompiled {
		return err
	}
	c.dialect = old
	return c.load(ctx)
}

// load loads the scripts into the table's node alone: another one of its cluster may be gone. Where the table goes they are loaded
// when that node asks for them.
func (c *Client) load(ctx context.Context) error {
	node, err := c.loader(ctx)
	if err != nil {
		return fmt.Errorf("loading scripts: %w", err)
	}
	for _, s := range c.scripts {
		if err := node.ScriptLoad(ctx, s.sources[c.dialect].text).Err(); err != nil {
			return fmt.Errorf("loading scripts: %w", WithoutEcho(err))
		}
	}
	return nil
}

func (c *Client) loader(ctx context.Context) (redis.Cmdable, error) {
	node, err := c.Node(ctx)
	switch {
	case errors.Is(err, ErrNoNode):
		return c.Redis, nil
	case err != nil:
		return nil, err
	}
	return node, nil
}
