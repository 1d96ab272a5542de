package table

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// resp reads a raw reply from front to back. go-redis would make a value, and so two pieces of garbage, of each element
// of a page; here they stay where they came in, in one buffer. The first thing that is not as expected sticks in err.
type resp struct {
	rest []byte
	err  error
}

// serverError is an error that the server has answered with. It is a redis.Error.
type serverError string

func (e serverError) Error() string { return string(e) }

// RedisError marks it as the server's own.
func (serverError) RedisError() {}

// line returns the kind of the next element and the rest of its first line.
func (r *resp) line() (kind byte, text []byte) {
	end := bytes.IndexByte(r.rest, '\r')
	if end < 1 || len(r.rest) < end+2 {
		r.fail()
		return 0, nil
	}
	kind, text, r.rest = r.rest[0], r.rest[1:end], r.rest[end+2:]
	if kind == '-' {
		r.err = serverError(text)
	}
	return kind, text
}

func (r *resp) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("%w: not an answer that a table gives", ErrLost)
	}
	r.rest = nil
}

// number reads a length or an integer.
func (r *resp) number(text []byte) int {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		r.fail()
	}
	return n
}

// integer reads a number, or a string that is one.
func (r *resp) integer() int { return r.number(r.text()) }

// text reads a string or a number; null is nil.
func (r *resp) text() []byte {
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
	r.fail()
	return nil
}

// length reads the length of a string, "$12", where it has up to four digits; else it leaves that to others.
func (r *resp) length() (n, head int) {
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

// cut returns the next n bytes, which a line's end follows.
func (r *resp) cut(n int) []byte {
	if n < 0 || n > len(r.rest)-2 {
		if n != -1 {
			r.fail()
		}
		return nil
	}
	text := r.rest[:n:n]
	r.rest = r.rest[n+2:]
	return text
}

// list reads the length of a list, whose elements follow.
func (r *resp) list() int {
	kind, text := r.line()
	if kind != '*' {
		r.fail()
		return 0
	}
	n := r.number(text)
	if n < 0 || n > len(r.rest) { // an element takes more than a byte
		r.fail()
		return 0
	}
	return n
}

// texts reads a list of strings, or of such lists, which it joins.
func (r *resp) texts() [][]byte {
	n := r.list()
	return r.append(make([][]byte, 0, r.likely(n)), n)
}

// lists reads a list of lists of strings.
func (r *resp) lists() (all [][][]byte) {
	for n := r.list(); n > 0 && r.err == nil; n-- {
		all = append(all, r.texts())
	}
	return all
}

// isNull tells whether a raw reply is null, of either protocol.
func isNull(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("*-1")) || bytes.HasPrefix(raw, []byte("_"))
}

// likely bounds what a mere length makes us allocate.
func (r *resp) likely(n int) int { return min(n, len(r.rest)/12+8) }

func (r *resp) append(to [][]byte, n int) [][]byte {
	for ; n > 0 && r.err == nil; n-- {
		if len(r.rest) > 0 && r.rest[0] == '*' {
			inner := r.list()
			to = r.append(slices.Grow(to, r.likely(inner)), inner)
		} else {
			to = append(to, r.text())
		}
	}
	return to
}
