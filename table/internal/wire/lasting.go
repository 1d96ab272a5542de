package wire

import "github.com/redis/go-redis/v9"

// ofTheMoment are the first words of refusals that do not mean that the command is unavailable. (Refusals that pass do not either.)
var ofTheMoment = append([]string{"EXECABORT", "NOAUTH", "WRONGPASS", "WRONGTYPE"}, unwilling...)

// IsUnavailable tells whether a refusal means that the command is not available here: the server does not know it, a proxy does not
// let it through, or the user may not run it. The words for that are many, and those of all other refusals are known: any refusal
// but those counts.
func IsUnavailable(err error) bool {
	return IsRefusal(err) && !Passes(err) && !beginsWithAny(err, ofTheMoment)
}

// IsAborted tells whether EXEC has ended a transaction without running it.
func IsAborted(err error) bool { return redis.HasErrorPrefix(err, "EXECABORT") }
