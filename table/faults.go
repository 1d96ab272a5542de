package table

import (
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// isServerError tells whether the server itself has answered with an error.
func isServerError(err error) bool {
	var e redis.Error
	return errors.As(err, &e) && !errors.Is(err, redis.Nil)
}

// temporary tells whether the server refused for a reason that passes by itself, or when it has been told a script again.
func temporary(err error) bool {
	for _, prefix := range []string{"LOADING", "NOSCRIPT", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "ERR max number of clients", "max number of clients"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

func isNoScript(err error) bool { return redis.HasErrorPrefix(err, "NOSCRIPT") }

// neverSent tells whether the command did not leave this process.
func neverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	return errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted)
}

// isForeignType tells whether a key of ours holds something that is not ours.
func isForeignType(err error) bool { return strings.Contains(err.Error(), "WRONGTYPE") }

// isMoved tells whether the table's slot is now elsewhere in the cluster.
func isMoved(err error) bool {
	return redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK ")
}
