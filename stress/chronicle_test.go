package stress

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// chronicle is what a table was after each change that readers see, as its owners know it. It is for one goroutine.
type chronicle struct {
	epochs map[string][]stand // of each owner, in the order of numbers
	acks   []ack              // in order
	spans  []timeSpan
	order  int64
}

// stand is the table from a position on, until that of the next stand of the same owner.
type stand struct {
	number  uint64
	order   int64 // among all stands
	content string
}

// ack is when a stand was acknowledged.
type ack struct {
	at    time.Time
	order int64
}

// timeSpan is a time in which a server without all that was acknowledged may have been asked.
type timeSpan struct{ from, to time.Time }

func newChronicle() *chronicle { return &chronicle{epochs: make(map[string][]stand)} }

// add adds what the table is from a position on, which has just been acknowledged.
func (c *chronicle) add(p table.Position, content string) {
	at := time.Now()
	epoch, number := splitPosition(p)
	c.order++
	c.epochs[epoch] = append(c.epochs[epoch], stand{number, c.order, content})
	c.acks = append(c.acks, ack{at, c.order})
}

// rewound adds that from some time until now a server may have been asked that lacks what others had acknowledged.
func (c *chronicle) rewound(from time.Time) { c.spans = append(c.spans, timeSpan{from, time.Now()}) }

// splitPosition returns the owner's name and the number of its effect.
func splitPosition(p table.Position) (epoch string, number uint64) {
	epoch, text, _ := strings.Cut(p.String(), "/")
	number, _ = strconv.ParseUint(text, 10, 64)
	return epoch, number
}

// at returns the stand of a position: numbers between two stands change nothing that readers see.
func (c *chronicle) at(p table.Position) (stand, error) {
	epoch, number := splitPosition(p)
	stands := c.epochs[epoch]
	i, exactly := slices.BinarySearchFunc(stands, number, func(s stand, n uint64) int { return int(int64(s.number) - int64(n)) })
	if !exactly {
		i--
	}
	if i < 0 {
		return stand{}, fmt.Errorf("nobody knows of position %v", p)
	}
	return stands[i], nil
}

// compare returns an error unless the content is what the table was at a position.
func (c *chronicle) compare(p table.Position, content string) error {
	s, err := c.at(p)
	if err == nil && s.content != content {
		err = fmt.Errorf("at %v a follower has\n%s\nthe table had\n%s", p, content, s.content)
	}
	return err
}

// proves returns an error if something was acknowledged before a time, and is not in what the table was at a position.
func (c *chronicle) proves(at time.Time, p table.Position) error {
	for _, s := range c.spans {
		if at.After(s.from) && at.Before(s.to) {
			return nil
		}
	}
	s, err := c.at(p)
	for _, a := range c.acks {
		if a.at.Before(at) && a.order > s.order && err == nil {
			err = fmt.Errorf("proven at a time %v after change %d was acknowledged, and at %v, which is that of change %d", at.Sub(a.at), a.order, p, s.order)
		}
	}
	return err
}

// forget forgets what no check will ask for any more, since all followers are at the present.
func (c *chronicle) forget(now table.Position) {
	epoch, _ := splitPosition(now)
	stands := c.epochs[epoch]
	clear(c.epochs)
	c.epochs[epoch] = stands[len(stands)-1:]
	c.acks = c.acks[len(c.acks)-1:]
	c.spans = nil
}

// A judge that cannot see is none.
func TestTheChronicleSees(t *testing.T) {
	at := func(text string) table.Position {
		p, err := table.ParsePosition(text)
		ok(t, err)
		return p
	}
	const first, second = "1:0000000000000001", "1:0000000000000002"
	c := newChronicle()
	c.add(at(first+"/3"), "a")
	begun := time.Now()
	c.add(at(first+"/5"), "b")
	ok(t, c.compare(at(first+"/4"), "a"))
	ok(t, c.compare(at(first+"/9"), "b"))
	ok(t, c.proves(begun, at(first+"/4")))
	later := time.Now()
	ok(t, c.proves(later, at(first+"/6")))
	for what, err := range map[string]error{
		"another content":        c.compare(at(first+"/4"), "b"),
		"an unknown position":    c.compare(at(first+"/2"), "a"),
		"another owner":          c.compare(at(second+"/4"), "a"),
		"a proof of what is old": c.proves(later, at(first+"/4")),
	} {
		if err == nil {
			t.Error(what, "is not seen")
		}
	}
	c.rewound(begun)
	ok(t, c.proves(later, at(first+"/4")))
}
