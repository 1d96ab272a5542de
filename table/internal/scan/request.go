package scan

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// request is what a read wants from Redis: the answer to one script call, or to plain commands.
type request struct {
	client    *wire.Client   // knows the schema under which it is asked
	call      []any          // the script call
	commands  [][]any        // or the plain commands; the caller parses their raw answers
	rows      []any          // one HMGET that goes before the commands, if there is one
	keys      []engine.Bytes // of a look-up: several look-ups may travel in one call
	scan      *rangeScan     // of a page that a range scan may answer
	pageSizes *wire.Average  // of a page: the mean size of scripts' answers; else nil
	ofLineage bool           // the commands are those of the table's lineage
	alone     bool           // send it alone, because answers to several may be too much for the server
}

// response is the answer to a request.
type response struct {
	wire.Answer          // of the script
	raw         [][]byte // to the commands, one each
	rows        [][]byte // of the keys, or to the HMGET
	found       *found   // by a range scan
	lineage     lineage  // if that was asked for
	answered    bool     // there is an answer, which was checked
}

// pending is a request on its way.
type pending struct {
	request
	caller    [1]context.Context // hooks of the client get its values
	abandoned atomic.Bool        // its caller has left
	done      chan struct{}      // closed by the batcher when response and err are there
	response  response
	err       error
	lists     listsOfOne
}

// listsOfOne is room for the lists that a request needs which is sent by itself, as most are: so they are not allocated one by one. Each
// is filled once: a hook of the client may still look at what it was given.
type listsOfOne struct {
	request [1]*pending
	command [1]command
	raw     [1]*redis.RawCmd
	cmd     [1]redis.Cmder
}

// callersOf returns the contexts of the callers of requests. Nobody writes to the list.
func callersOf(group []*pending) []context.Context {
	if len(group) == 1 {
		return group[0].caller[:]
	}
	callers := make([]context.Context, len(group))
	for i, p := range group {
		callers[i] = p.caller[0]
	}
	return callers
}
