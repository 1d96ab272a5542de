package scripts

import (
	"strconv"
	"strings"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var sweep = define(wire.MayFree, sweeping, "sweep")

// Sweep removes rows by where they lie. Answer: Result, with what ReadSwept reads in place of verdicts.
func Sweep(c *wire.Client, e *Effect) []any { return byPlace(c, sweep, e) }

// byPlace returns the call of a script that finds rows by where they lie.
func byPlace(c *wire.Client, script *wire.Script, e *Effect) []any {
	s, interval := e.Sweep, "all"
	if !s.All {
		interval = strconv.Itoa(max(1, s.Place.Interval))
	}
	args := numbered(c, script, e, 7+len(e.Kept)+len(s.Bounds))
	args = append(args, s.Index+1, s.Most, e.Room, interval, s.Place.Score, s.Place.Key, len(e.Kept))
	for i := range e.Kept {
		args = append(args, &e.Kept[i])
	}
	for i := range s.Bounds {
		args = append(args, &s.Bounds[i])
	}
	return args
}

// Swept is what a step of a sweep has done.
type Swept struct {
	Removed int
	Told    int // bytes of the body of its entry
	Next    engine.Place
}

// ReadSwept reads what a step of a sweep has left behind. ok is false if it is not that.
func ReadSwept(v []engine.Verdict) (s Swept, ok bool) {
	parts := strings.SplitN(string(bytesOf(v)), " ", 5)
	if len(parts) != 5 {
		return s, false
	}
	var errs [3]error
	s.Removed, errs[0] = strconv.Atoi(parts[0])
	s.Told, errs[1] = strconv.Atoi(parts[1])
	s.Next.Interval, errs[2] = strconv.Atoi(parts[2])
	s.Next.Score, s.Next.Key = parts[3], parts[4]
	return s, errs == [3]error{}
}

func bytesOf(v []engine.Verdict) []byte {
	b := make([]byte, len(v))
	for i := range v {
		b[i] = byte(v[i])
	}
	return b
}
