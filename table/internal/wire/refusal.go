package wire

import (
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

// IsReplicas tells whether the server refused to write because it is a replica.
func IsReplicas(err error) bool { return redis.HasErrorPrefix(err, "READONLY") }

// NeverSent tells whether the command did not leave this process.
func NeverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	return errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted)
}

// LostToForeignType returns ErrLost where the server has refused because a key of ours holds something that is not ours. Any
// other error, and nil, it returns as it is.
func LostToForeignType(err error) error {
	if IsRefusal(err) && strings.Contains(err.Error(), "WRONGTYPE") {
		return fmt.Errorf("%w: a key has a foreign type: %w", engine.ErrLost, err)
	}
	return err
}
