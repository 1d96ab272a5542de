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

// passing are the beginnings of refusals that pass by themselves, or once the server has been told a script again.
var passing = []string{"LOADING", "NOSCRIPT", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "ERR max number of clients",
	"max number of clients"}

// Passes tells whether a refusal passes by itself.
func Passes(err error) bool {
	return slices.ContainsFunc(passing, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
}

func isNoScript(err error) bool { return redis.HasErrorPrefix(err, "NOSCRIPT") }

// isMoved tells whether the table's slot is now elsewhere in the cluster.
func isMoved(err error) bool {
	return redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK ")
}

// MustBeSentElsewhere tells whether a call that was sent on a connection of its own must go through the client instead.
func MustBeSentElsewhere(err error) bool { return isNoScript(err) || isMoved(err) }

// IsForbidden tells whether the user may not run a command.
func IsForbidden(err error) bool { return redis.HasErrorPrefix(err, "NOPERM") }

// lasting are the beginnings of refusals that last until somebody changes users, passwords or the server.
var lasting = []string{"NOPERM", "WRONGPASS", "NOAUTH", "unknown command", "DENIED"}

// Lasts tells whether an error does not pass by itself, whatever is sent: the client is closed, the user may not, or the
// server's certificate is not to be trusted.
func Lasts(err error) bool {
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	if errors.Is(err, redis.ErrClosed) || errors.As(err, &certificate) || errors.As(err, &noTLS) {
		return true
	}
	return slices.ContainsFunc(lasting, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
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
	if IsRefusal(err) && strings.Contains(err.Error(), "WRONGTYPE") {
		return fmt.Errorf("%w: a key has a foreign type: %w", engine.ErrLost, err)
	}
	return err
}
