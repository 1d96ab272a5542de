package layout

import (
	"math"
	"strconv"
	"strings"
)

// ScoreText returns the shortest text that Redis reads back as exactly f.
func ScoreText(f float64) string { return string(AppendScore(nil, f)) }

// AppendScore appends the text of ScoreText.
func AppendScore(dst []byte, f float64) []byte {
	if n := int64(f); float64(n) == f && n != 0 && -mostExact < n && n < mostExact { // a whole number, as many scores are
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// mostExact bounds the integers that a float64 holds exactly. A larger one has shorter texts than all its digits.
const mostExact = 1 << 53

// ParseScore reads a score as Redis writes it.
func ParseScore(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// ScoreOf reads a score that AppendScore has written.
func ScoreOf(text []byte) float64 {
	if n, is := natural(text); is {
		return float64(n)
	}
	f, _ := strconv.ParseFloat(string(text), 64) // it was written by us
	return f
}

// natural reads a number of a few digits and nothing else, as many scores are: that is faster than to read a float.
func natural(text []byte) (n int64, is bool) {
	if len(text) == 0 || len(text) > 15 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// Bound is an interval of scores as ZRANGE BYSCORE writes it.
type Bound struct{ Min, Max string }

// BoundOf returns the interval from ge up to but not including lt. An lt of +Inf includes +Inf.
func BoundOf(ge, lt float64) Bound {
	b := Bound{Min: ScoreText(ge), Max: "(" + ScoreText(lt)}
	if math.IsInf(lt, 1) {
		b.Max = "+inf"
	}
	return b
}

// Ahead returns two intervals in reading order: the one before b, and the one from the beginning to the end of b.
func (b Bound) Ahead(reverse bool) (before, through Bound) {
	if !reverse {
		return Bound{"-inf", "(" + b.Min}, Bound{"-inf", b.Max}
	}
	before = Bound{strings.TrimPrefix(b.Max, "("), "+inf"}
	if b.Max == "+inf" {
		before = Bound{"(+inf", "+inf"} // nothing
	}
	return before, Bound{b.Min, "+inf"}
}

// Span is a Bound as numbers.
type Span struct {
	low, high float64
	closed    bool // high belongs to it
}

// Span returns the bound as numbers.
func (b Bound) Span() Span {
	text, open := strings.CutPrefix(b.Max, "(")
	low, _ := strconv.ParseFloat(b.Min, 64) // written by BoundOf
	high, _ := strconv.ParseFloat(text, 64)
	return Span{low: low, high: high, closed: !open}
}

// Contains tells whether a score lies in the span.
func (s Span) Contains(score float64) bool {
	return score >= s.low && (score < s.high || s.closed && score == s.high)
}
