package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// Servers and proxies that refuse a command may repeat its arguments, among which are keys, rows and passwords. An error goes on
// without them, and so does not have them for whoever unwraps it either.

// repeats begins what most servers repeat.
const repeats = "with args beginning with"

// shortestSecret is how long an argument must be to be looked for: shorter ones stand in any text.
const shortestSecret = 4

// WithoutEcho returns an error without the arguments that it repeats. args are those of the command, if it was one of ours.
func WithoutEcho(err error, args ...any) error {
	if err == nil { // so that the most frequent case allocates nothing
		return nil
	}
	var said redis.Error
	if !errors.As(err, &said) {
		return err
	}
	text := said.Error()
	cut := strings.Index(strings.ToLower(text), repeats)
	if cut < 0 && hasNoKnownWords(err) {
		cut = indexOfAny(text, args)
	}
	if cut < 0 {
		return err
	}
	short := serverError(text[:cut] + "(its arguments are not told)")
	if before, _ := strings.CutSuffix(err.Error(), text); before != "" && before != err.Error() {
		return fmt.Errorf("%s%w", before, short)
	}
	return short
}

// hasNoKnownWords tells whether nothing depends on the words of a refusal, so that they may be cut.
func hasNoKnownWords(err error) bool {
	return kindOf(err) == told && !Lasts(err) && !IsGeneral(err) && IsUnavailable(err) && !IsTooLong(err)
}

// indexOfAny returns where the first of the arguments stands in a text; -1: none does. The first argument is the command's name, and
// names of keys are told.
func indexOfAny(text string, args []any) int {
	first := -1
	for i, arg := range args {
		var secret string
		switch arg := arg.(type) {
		case string:
			secret = arg
		case []byte:
			secret = string(arg)
		case *engine.Bytes:
			secret = string(*arg)
		}
		if at := strings.Index(text, secret); i > 0 && len(secret) >= shortestSecret && at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// hideEchoes does so for a command that was sent.
func hideEchoes(cmd redis.Cmder) {
	if err := cmd.Err(); err != nil {
		cmd.SetErr(WithoutEcho(err, cmd.Args()...))
	}
}
