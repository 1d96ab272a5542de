package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// kind is what a refusal is about.
type kind int

const (
	told        kind = iota // nothing is done about it but to tell the caller
	passing                 // it passes by itself
	forgotten               // the server does not know a script (any more)
	moved                   // the table's slot is elsewhere in the cluster
	forbidden               // the user may not run a command, or not on this key
	foreignType             // a key holds something that is not ours
	notCompiled             // a script is no Lua to this server
)

// refusals are what servers say of each kind: its codes, the first word, and what they say instead where the code is ERR, as it
// mostly is in scripts. Only whole phrases count, for names of users stand among the words. They were looked up in Redis 6.2 to
// 8.0, Valkey 7.2 to 9.1 and miniredis; refusal_test.go has them as they come.
var refusals = []struct {
	kind    kind
	codes   []string
	phrases []string
}{
	{kind: passing,
		codes: []string{"LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"},
		phrases: []string{"max number of clients", "while the cluster is down", "access a slot not served",
			"during rehashing of the slot"}},
	{kind: forgotten, codes: []string{"NOSCRIPT"}},
	{kind: moved, codes: []string{"MOVED", "ASK"}, phrases: []string{"access a non local key"}},
	{kind: forbidden, codes: []string{"NOPERM"},
		phrases: []string{"ACL failure in script: ", "The user executing the script "}},
	{kind: foreignType, codes: []string{"WRONGTYPE"}, phrases: []string{"WRONGTYPE Operation against a key "}},
	{kind: notCompiled, phrases: []string{"Error compiling script "}},
}

// kindOf returns what a refusal is about. Any other error is merely told.
func kindOf(err error) kind {
	var said redis.Error
	if !errors.As(err, &said) {
		return told
	}
	text := said.Error()
	code, _, _ := strings.Cut(strings.TrimPrefix(text, "ERR "), " ") // KVRocks writes ERR before every code
	for _, r := range refusals {
		if slices.Contains(r.codes, code) {
			return r.kind
		}
	}
	for _, r := range refusals {
		if slices.ContainsFunc(r.phrases, func(phrase string) bool { return strings.Contains(text, phrase) }) {
			return r.kind
		}
	}
	return told
}

// Passes tells whether a refusal passes by itself, or once the server has been told a script again.
func Passes(err error) bool { k := kindOf(err); return k == passing || k == forgotten }

func isNoScript(err error) bool { return kindOf(err) == forgotten }

// isMoved tells whether the table's slot is now elsewhere in the cluster.
func isMoved(err error) bool { return kindOf(err) == moved }

// MustBeSentElsewhere tells whether a call that was sent on a connection of its own must go through the client instead.
func MustBeSentElsewhere(err error) bool { return isNoScript(err) || isMoved(err) }

// IsForbidden tells whether the user may not run a command, be it within a script, or not on one of the keys.
func IsForbidden(err error) bool { return kindOf(err) == forbidden }

// IsReplicas tells whether the server refused to write because it is a replica.
func IsReplicas(err error) bool { return redis.HasErrorPrefix(err, "READONLY") }

// lasting are the beginnings of refusals that last, as forbidden ones do, until somebody changes users, passwords or the server.
var lasting = []string{"WRONGPASS", "NOAUTH", "unknown command", "DENIED"}

// Lasts tells whether an error does not pass by itself, whatever is sent: the client is closed, the user may not, or the
// server's certificate is not to be trusted.
func Lasts(err error) bool {
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	if errors.Is(err, redis.ErrClosed) || errors.As(err, &certificate) || errors.As(err, &noTLS) {
		return true
	}
	return kindOf(err) == forbidden || slices.ContainsFunc(lasting, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
}

// unwilling are the beginnings of refusals of writes of any kind.
var unwilling = []string{"OOM", "READONLY", "MISCONF", "NOREPLICAS"}

// IsGeneral tells whether an error says nothing about what was sent: anything else would have met it too.
func IsGeneral(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted) {
		return true
	}
	return Lasts(err) || slices.ContainsFunc(unwilling, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
}

// LostToForeignType returns ErrLost where the server has refused because a key of ours holds something that is not ours. Any
// other error, and nil, it returns as it is.
func LostToForeignType(err error) error {
	if kindOf(err) == foreignType {
		return fmt.Errorf("%w: a key has a foreign type: %w", engine.ErrLost, err)
	}
	return err
}
