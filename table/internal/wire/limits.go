package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/tablecache-go/tablecache/engine"
)

// ErrTooLarge: a key, a row, a write or an answer is more than a limit of ours or of the server.
var ErrTooLarge = errors.New("tablecache: too large")

// leastLimit is the least that a server's limits on what it is sent can be.
const leastLimit = 1 << 20

// limits notes that the server does not tell its limits.
type limits struct{ hidden atomic.Bool }

// WasClosed tells whether the other side has closed the connection, as a server does with what is too large.
func WasClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// IsTooLong tells whether the server has refused to read a command, because an argument was too long or there were too many. Then
// it has run neither the command nor what came after it, and closes the connection.
func IsTooLong(err error) bool {
	return IsRefusal(err) && strings.Contains(err.Error(), "Protocol error: invalid") && strings.Contains(err.Error(), "bulk length")
}

// ExplainWrite returns err with the limit of the server that a write exceeds, if that is why it was not taken. longest is the
// longest argument of the write, all is how many bytes it has.
func (c *Client) ExplainWrite(ctx context.Context, err error, longest, all int) error {
	switch {
	case IsTooLong(err):
		return engine.Because(ErrTooLarge, err)
	case !WasClosed(err) || all < leastLimit:
		return err
	}
	if most := c.limit(ctx, "proto-max-bulk-len"); most > 0 && longest > most {
		return engine.Because(fmt.Errorf("%w: an argument of %d bytes, the server takes %d (proto-max-bulk-len)", ErrTooLarge, longest, most), err)
	}
	if most := c.limit(ctx, "client-query-buffer-limit"); most > 0 && all > most {
		return engine.Because(fmt.Errorf("%w: a write of %d bytes, the server takes %d (client-query-buffer-limit)", ErrTooLarge, all, most), err)
	}
	return err
}

// limit asks the server for one of its limits; 0 if it does not tell. Once the user was refused, it does not ask again.
func (c *Client) limit(ctx context.Context, name string) int {
	if c.limits.hidden.Load() {
		return 0
	}
	cmd := NewOnce(ctx, ConfigGet(name)...)
	_ = c.Redis.Process(ctx, cmd) // the command has the error
	if IsRefusal(cmd.Err()) {
		c.limits.hidden.Store(true)
	}
	var text string
	switch reply := cmd.Val().(type) { // RESP 2 and RESP 3
	case []any:
		if len(reply) == 2 {
			text, _ = reply[1].(string)
		}
	case map[any]any:
		text, _ = reply[name].(string)
	}
	most, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return most
}

// ConfigGet returns the command that reads one setting of the server.
func ConfigGet(name string) []any { return []any{"config", "get", name} }

// OutputLimit names the setting that bounds answers to clients.
const OutputLimit = "client-output-buffer-limit"

// ExplainAnswer returns the error of a request whose connection was closed again and again while small requests got through.
// setting is the raw reply to ConfigGet(OutputLimit), if there is one: when the server says that it has no such limit, the
// error stays as it is.
func ExplainAnswer(err error, setting []byte) error {
	most, told := outputLimit(string(setting))
	if !told {
		return engine.Because(fmt.Errorf("%w: the connection is closed each time this is asked for, while small answers come, as by a server "+
			"that must send too much (%s)", ErrTooLarge, OutputLimit), err)
	}
	if most == 0 {
		return err
	}
	return engine.Because(fmt.Errorf("%w: the server closes connections on which it must send more than %d bytes (%s)", ErrTooLarge, most,
		OutputLimit), err)
}

// outputLimit reads the hard limit of normal clients, or else the soft one, from "normal 0 0 0 slave ..." in a reply.
func outputLimit(setting string) (most int, told bool) {
	fields := strings.Fields(setting)
	for i := 0; i+2 < len(fields); i++ {
		if fields[i] == "normal" {
			hard, _ := strconv.Atoi(fields[i+1])
			soft, _ := strconv.Atoi(fields[i+2])
			if hard > 0 {
				return hard, true
			}
			return soft, true
		}
	}
	return 0, false
}
