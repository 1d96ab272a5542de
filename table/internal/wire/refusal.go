package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// kind is what a refusal is about.
type kind int

const (
	told        kind = iota // any other: the caller is told
	passing                 // it passes by itself
	forgotten               // the server does not know a script (any more)
	moved                   // the table's slot is elsewhere in the cluster
	forbidden               // the user may not run a command, or not on this key
	foreignType             // a key holds something that is not ours
	notCompiled             // the server cannot compile a script
)

// refusals are the words of servers for each kind. A refusal begins with one of the codes, or, mostly in scripts, with the code ERR:
// then it has one of the phrases. Phrases are long, because a refusal may also contain the name of a user. They were looked up in
// Redis 6.2 to 8.0, Valkey 7.2 to 9.1 and miniredis; refusal_test.go has whole texts.
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

// kindOf returns what a refusal is about. For an error that is no refusal it returns told.
func kindOf(err error) kind {
	if err == nil { // so that the most frequent case allocates nothing
		return told
	}
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

// Passes tells whether a refusal passes by itself, or once the scripts were loaded again or the table's node was found.
func Passes(err error) bool { k := kindOf(err); return k == passing || k == forgotten || k == moved }

func isNoScript(err error) bool { return kindOf(err) == forgotten }

// isMoved tells whether the table's slot is now elsewhere in the cluster.
func isMoved(err error) bool { return kindOf(err) == moved }

// MustBeSentElsewhere tells whether a call that was sent on the writer's connection must go through the client instead.
func MustBeSentElsewhere(err error) bool { return isNoScript(err) || isMoved(err) }

// IsForbidden tells whether the user may not run a command, or not on one of the keys. This includes commands of a script.
func IsForbidden(err error) bool { return kindOf(err) == forbidden }

// IsReplicas tells whether the server has refused to write because it is a replica.
func IsReplicas(err error) bool { return redis.HasErrorPrefix(err, "READONLY") }

// lasting are the first words of refusals that last until somebody changes users, passwords or the server. (Those of the kind
// forbidden last too.)
var lasting = []string{"WRONGPASS", "NOAUTH", "unknown command", "DENIED"}

// Lasts tells whether an error does not pass by itself: the client is closed, the user has not the right, or the server's
// certificate cannot be trusted.
func Lasts(err error) bool {
	if err == nil { // so that the most frequent case allocates nothing
		return false
	}
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	if errors.Is(err, redis.ErrClosed) || errors.As(err, &certificate) || errors.As(err, &noTLS) {
		return true
	}
	return kindOf(err) == forbidden || beginsWithAny(err, lasting)
}

// IsAway tells whether no server has answered: none can be reached, or the connection was closed or has timed out.
func IsAway(err error) bool {
	var network net.Error
	return !IsRefusal(err) && !Lasts(err) &&
		(errors.As(err, &network) || WasClosed(err) || errors.Is(err, io.EOF) || errors.Is(err, redis.ErrPoolTimeout))
}

// unwilling are the first words of refusals of any write.
var unwilling = []string{"OOM", "READONLY", "MISCONF", "NOREPLICAS"}

// IsGeneral tells whether an error has nothing to do with what was sent: any other write would have failed too.
func IsGeneral(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted) {
		return true
	}
	return Lasts(err) || beginsWithAny(err, unwilling)
}

// beginsWithAny tells whether a refusal begins with one of these words.
func beginsWithAny(err error, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return redis.HasErrorPrefix(err, word) })
}

// LostToForeignType returns ErrLost if the server has refused because one of our keys has another type. It returns any other error,
// and nil, as it is.
func LostToForeignType(err error) error {
	if kindOf(err) == foreignType {
		return fmt.Errorf("%w: a key has a foreign type: %w", engine.ErrLost, err)
	}
	return err
}
