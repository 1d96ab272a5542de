package wire

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
)

// Script is one Lua script as servers know it. Its text is the same for every table: no name of a user's ever becomes Lua text.
type Script struct{ sources [dialects]source }

type source struct{ text, sha string }

// dialect is what a server makes of a script's first line.
type dialect int

const (
	modern   dialect = iota // Redis 7, Valkey: it says what the script may do
	old                     // servers, such as miniredis, that take "#!lua" for a syntax error
	dialects                // how many there are
)

// Flags are the first line of a script.
type Flags string

// What a script may do. One that only frees memory may run when there is none left.
const (
	MayWrite Flags = "#!lua\n"
	MayFree  Flags = "#!lua flags=allow-oom\n"
	MayRead  Flags = "#!lua flags=no-writes\n"
)

// NewScript returns the script that these pieces of Lua are together.
func NewScript(flags Flags, pieces ...string) *Script {
	text := strings.Join(pieces, "")
	return &Script{sources: [dialects]source{modern: newSource(string(flags) + text), old: newSource(text)}}
}

func newSource(text string) source {
	sum := sha1.Sum([]byte(text))
	return source{text: text, sha: hex.EncodeToString(sum[:])}
}

// Load makes the server know the scripts, waits through what passes by itself, and finds out which dialect the server speaks.
func (c *Client) Load(ctx context.Context) error {
	err := c.Retry(ctx, nil, SendAgain, func() error { return c.load(ctx) })
	if kindOf(err) != notCompiled {
		return err
	}
	c.dialect = old
	return c.load(ctx)
}

func (c *Client) load(ctx context.Context) error {
	for _, s := range c.scripts {
		if err := c.Redis.ScriptLoad(ctx, s.sources[c.dialect].text).Err(); err != nil {
			return fmt.Errorf("loading scripts: %w", WithoutEcho(err))
		}
	}
	return nil
}
