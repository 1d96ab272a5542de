package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// Reply reads a raw reply from front to back. What it returns shares the memory of the reply; go-redis would allocate each element
// of a page twice. Err keeps the first thing that is not as expected.
type Reply struct {
	rest []byte
	err  error
}

// NewReply returns a reader of a raw reply, whose memory it shares.
func NewReply(raw []byte) Reply { return Reply{rest: raw} }

// Err returns why the reply could not be read: ErrLost, or the server's own error. It is nil while all was as expected.
func (r *Reply) Err() error { return r.err }

// serverError is an error that the server has answered with. It is a redis.Error.
type serverError string

func (e serverError) Error() string { return string(e) }

// RedisError marks it as the server's own.
func (serverError) RedisError() {}

// line returns the kind of the next element and the rest of its first line.
func (r *Reply) line() (kind byte, text []byte) {
	end := bytes.IndexByte(r.rest, '\r')
	if end < 1 || len(r.rest) < end+2 {
		r.Fail()
		return 0, nil
	}
	kind, text, r.rest = r.rest[0], r.rest[1:end], r.rest[end+2:]
	if kind == '-' {
		r.err = WithoutEcho(serverError(text))
	}
	return kind, text
}

// Fail notes that the reply is not as a table's reply must be.
func (r *Reply) Fail() {
	if r.err == nil {
		r.err = fmt.Errorf("%w: not an answer that a table gives", engine.ErrLost)
	}
	r.rest = nil
}

// number parses a length or an integer.
func (r *Reply) number(text []byte) int {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		r.Fail()
	}
	return n
}

// Integer reads a number, or a string that is one.
func (r *Reply) Integer() int { return r.number(r.Text()) }

// Text reads a string or a number; null is nil.
func (r *Reply) Text() []byte {
	if n, head := r.length(); head > 0 {
		r.rest = r.rest[head:]
		return r.cut(n)
	}
	switch kind, text := r.line(); kind {
	case '$':
		return r.cut(r.number(text))
	case '+', ':', ',':
		return text
	case '_':
		return nil
	}
	r.Fail()
	return nil
}

// length reads the length of a string, "$12", if it has up to four digits: this is the fast way for most strings. Else head is 0.
func (r *Reply) length() (n, head int) {
	if len(r.rest) == 0 || r.rest[0] != '$' {
		return 0, 0
	}
	for i, c := range r.rest[1:min(len(r.rest), 6)] {
		switch {
		case c >= '0' && c <= '9':
			n = 10*n + int(c-'0')
		case c == '\r' && 0 < i && i+3 <= len(r.rest):
			return n, i + 3
		default:
			return 0, 0
		}
	}
	return 0, 0
}

// cut returns the next n bytes, and skips the end of the line behind them.
func (r *Reply) cut(n int) []byte {
	if n < 0 || n > len(r.rest)-2 {
		if n != -1 {
			r.Fail()
		}
		return nil
	}
	text := r.rest[:n:n]
	r.rest = r.rest[n+2:]
	return text
}

// List reads the length of a list, whose elements follow.
func (r *Reply) List() int {
	kind, text := r.line()
	if kind != '*' {
		r.Fail()
		return 0
	}
	n := r.number(text)
	if n < 0 || n > len(r.rest) { // an element takes more than a byte
		r.Fail()
		return 0
	}
	return n
}

// Map reads the beginning of a map with one entry, as RESP3 has it. It returns false, and has read nothing, if there is something else.
func (r *Reply) Map() bool {
	rest, is := bytes.CutPrefix(r.rest, []byte("%1\r\n"))
	if is {
		r.rest = rest
	}
	return is
}

// Texts reads a list of strings. Lists in the list are joined to it.
func (r *Reply) Texts() [][]byte {
	n := r.List()
	return r.AppendTexts(make([][]byte, 0, r.likely(n)), n)
}

// Lists reads a list of lists of strings.
func (r *Reply) Lists() (all [][][]byte) {
	for n := r.List(); n > 0 && r.err == nil; n-- {
		all = append(all, r.Texts())
	}
	return all
}

// IsNull tells whether a raw reply is null, in RESP2 or RESP3.
func IsNull(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("*-1")) || bytes.HasPrefix(raw, []byte("_"))
}

// likely returns for how many of n elements memory is allocated at first: no more than the bytes that are there justify.
func (r *Reply) likely(n int) int { return min(n, len(r.rest)/12+8) }

// AppendTexts appends n elements of a list. Each is a string, or a list whose elements are appended.
func (r *Reply) AppendTexts(to [][]byte, n int) [][]byte {
	for ; n > 0 && r.err == nil; n-- {
		if len(r.rest) > 0 && r.rest[0] == '*' {
			inner := r.List()
			to = r.AppendTexts(slices.Grow(to, r.likely(inner)), inner)
		} else {
			to = append(to, r.Text())
		}
	}
	return to
}

// RawError returns the error of a raw command, also if the server has answered with an error.
func RawError(cmd *redis.RawCmd) error {
	return rawError(cmd.Val(), cmd.Err(), cmd.Args())
}

func rawError(raw []byte, err error, args []any) error {
	r := NewReply(raw)
	if err != nil || len(r.rest) == 0 || r.rest[0] != '-' {
		return err
	}
	r.line()
	return WithoutEcho(r.err, args...)
}

// FailedWithin returns the first refusal among the replies of a transaction. No reply may be a string, which could look like one.
func FailedWithin(exec []byte) error {
	_, failed, is := bytes.Cut(exec, []byte("\r\n-"))
	if !is {
		return nil
	}
	failed, _, _ = bytes.Cut(failed, []byte("\r"))
	return WithoutEcho(serverError(failed))
}

// Integers reads raw replies that are integers; ok is false when one is none.
func Integers(raw [][]byte) (all []int, ok bool) {
	for _, one := range raw {
		r := NewReply(one)
		all = append(all, r.Integer())
		if r.err != nil {
			return nil, false
		}
	}
	return all, true
}
