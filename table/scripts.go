package table

import (
	"context"
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var luaFiles embed.FS

// script is one Lua script as the server knows it.
type script struct {
	text, sha string
}

// scripts are all of a table's scripts. Their texts are the same for every table: no name of a
// user's ever becomes Lua text.
type scripts struct {
	dialect                                                  dialect
	seal                                                     script // sent as text, see lane.go
	put, stage, delete, discard, merge, abort, clear, settle script
	open, fold                                               script
	page, lookup, count, stats                               script
	audit, repair                                            script
}

// Flags of the line that starts a script: what only frees memory may run when there is none left.
const (
	mayWrite = "#!lua\n"
	mayFree  = "#!lua flags=allow-oom\n"
	mayRead  = "#!lua flags=no-writes\n"
)

// newScripts builds the scripts; plain leaves the first line out, for servers that do not know it.
func newScripts(dialect dialect) *scripts {
	make := func(flags string, files ...string) script {
		var b strings.Builder
		if dialect == modern {
			b.WriteString(flags)
		}
		for _, name := range files {
			b.WriteString(luaFile(name))
		}
		sum := sha1.Sum([]byte(b.String()))
		return script{text: b.String(), sha: hex.EncodeToString(sum[:])}
	}
	return &scripts{
		dialect: dialect,
		seal:    make(mayFree, "seal"), // no less than what it seals
		put:     make(mayWrite, "head", "write", "put"),
		stage:   make(mayWrite, "head", "write", "stage"),
		delete:  make(mayFree, "head", "write", "mark", "delete"),
		discard: make(mayFree, "head", "write", "mark", "discard"),
		merge:   make(mayFree, "head", "write", "merge"),
		abort:   make(mayFree, "head", "write", "abort"),
		clear:   make(mayFree, "head", "write", "clear"),
		settle:  make(mayFree, "head", "settle"),
		open:    make(mayFree, "open"),
		fold:    make(mayFree, "head", "write", "fold"),
		page:    make(mayRead, "head", "read", "page"),
		lookup:  make(mayRead, "head", "read", "lookup"),
		count:   make(mayRead, "head", "read", "count"),
		stats:   make(mayRead, "head", "read", "stats"),
		audit:   make(mayRead, "head", "read", "audit"),
		repair:  make(mayFree, "head", "write", "repair"),
	}
}

func (s *scripts) all() []script {
	return []script{s.put, s.stage, s.delete, s.discard, s.merge, s.abort, s.clear, s.settle,
		s.open, s.fold, s.page, s.lookup, s.count, s.stats, s.audit, s.repair}
}

func luaFile(name string) string {
	b, err := luaFiles.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic(err) // the file is embedded
	}
	return string(b)
}

// dialect is what the server makes of a script's first line.
type dialect int

const (
	modern dialect = iota // Redis 7, Valkey
	plain                 // servers, such as miniredis, that take "#!lua" for a syntax error
)

// loadScripts makes the server know the scripts, and finds out which dialect it speaks.
func loadScripts(ctx context.Context, rdb redis.UniversalClient) (*scripts, error) {
	s := newScripts(modern)
	err := patiently(ctx, nil, func() error { return s.load(ctx, rdb) })
	if err == nil || !isServerError(err) || !strings.Contains(err.Error(), "compiling") {
		return s, err
	}
	s = newScripts(plain)
	return s, s.load(ctx, rdb)
}

func (s *scripts) load(ctx context.Context, rdb redis.UniversalClient) error {
	for _, one := range s.all() {
		if err := rdb.ScriptLoad(ctx, one.text).Err(); err != nil {
			return fmt.Errorf("tablecache: loading scripts: %w", err)
		}
	}
	return nil
}
