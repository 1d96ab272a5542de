package scripts

import (
	"embed"
	"slices"

	"github.com/tablecache-go/tablecache/table/internal/wire"
)

//go:embed *.lua prelude/*.lua
var files embed.FS

// The preludes of scripts that write, of those that mark rows, of those that read, and of those that find rows and remove them.
var (
	writing  = []string{"prelude/base", "prelude/head", "prelude/write"}
	marking  = []string{"prelude/base", "prelude/head", "prelude/write", "prelude/mark"}
	reading  = []string{"prelude/base", "prelude/head", "prelude/read"}
	sweeping = []string{"prelude/base", "prelude/head", "prelude/read", "prelude/write", "prelude/place"}
	// leasing takes, renews or gives up a lease.
	leasing = []string{"prelude/base", "prelude/head", "prelude/write", "prelude/lease"}
)

// The preludes of short reads have a quick way in front.
var (
	readingRows = []string{"prelude/base", "prelude/quick", "prelude/quickrows", "prelude/head", "prelude/read"}
	readingPage = []string{"prelude/base", "prelude/quick", "prelude/quickpage", "prelude/head", "prelude/read"}
)

// define returns the script of this name behind its prelude.
func define(flags wire.Flags, prelude []string, name string) *wire.Script {
	var pieces []string
	for _, file := range append(slices.Clone(prelude), name) {
		b, err := files.ReadFile(file + ".lua")
		if err != nil {
			panic(err) // the file is embedded
		}
		pieces = append(pieces, string(b))
	}
	return wire.NewScript(flags, pieces...)
}

// All returns the scripts that must be loaded into a server before they are called.
func All() []*wire.Script {
	return append(Reading(), overlap, put, stage, remove, discard, discardAll, merge, abort, clearAll, settle, open, fold, foldWhole, audit, repair,
		sample, dropAll, apply, update, sweep, sweepStaged, renew)
}

// Building returns the scripts that build indexes. They are loaded when there is one to build.
func Building() []*wire.Script { return []*wire.Script{audit, build} }

// Reading returns the scripts of reads, none of which writes.
func Reading() []*wire.Script { return []*wire.Script{page, lookup, scores, count, stats, note} }
