package wire

import (
	"slices"

	"github.com/redis/go-redis/v9"
)

// ofTheMoment are the beginnings of refusals that are not about the command, beside those that pass.
var ofTheMoment = []string{"EXECABORT", "NOAUTH", "WRONGPASS", "READONLY", "OOM", "MISCONF", "NOREPLICAS"}

// IsUnavailable tells whether a refusal, in whatever words, means that the command cannot be had here: the server does not know it, a
// proxy does not let it through, the user may not run it. All other refusals of a command without arguments have known words.
func IsUnavailable(err error) bool {
	return IsRefusal(err) && !Passes(err) && !isMoved(err) &&
		!slices.ContainsFunc(ofTheMoment, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
}

// IsAborted tells whether EXEC has ended a transaction without running it.
func IsAborted(err error) bool { return redis.HasErrorPrefix(err, "EXECABORT") }
