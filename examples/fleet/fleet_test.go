package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	connect.Silence()
	os.Exit(redistest.Main(m))
}

// printed is what several processes have printed.
type printed struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// all is the last line of the figures, when nothing has failed and no answer was wrong.
var all = regexp.MustCompile(`(?m)^all +[1-9]\d* +[\d.]+[µm]?s +[\d.]+[µm]?s +[\d.]+[µm]?s +0 +0 +0 +0 +[\d.]+m?s$`)

// visitFor plays all acts, and fails unless all requests were answered, and all answers right.
func visitFor(t *testing.T, args ...string) {
	t.Helper()
	var out, diag printed
	code := run(t.Context(), append(args, "-time", "1s", "-lease", "700ms", "-reload", "300ms"), &out, &diag)
	if code != 0 || !all.MatchString(out.String()) {
		t.Errorf("exit status %d\n%s%s", code, &out, &diag)
	}
}

func TestEmbedded(t *testing.T) {
	visitFor(t)
}

func TestServer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	visitFor(t, "-redis", "redis://"+server.Addr())
	if n, err := server.Client(t).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys (%v) are left", n, err)
	}
}

// The tests that start processes run one after another: a fleet takes what a machine has.

// Whoever interrupts the visitor interrupts all; the verdict is of what was seen until then.
func TestInterrupted(t *testing.T) {
	var diag printed
	out := newFirstLine()
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"-time", "1m"}, out, &diag) }()
	<-out.line
	interrupt()
	if code := <-ended; code != 1 || !strings.Contains(diag.String(), "interrupted") {
		t.Errorf("exit status %d: %s", code, &diag)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"-role", "cook", "-redis", "redis://localhost:1"}, {"-role", "replica"}, {"more"}, {"-redis", "nonsense"}, {"-lease", "0"}, {"-version", "3"},
	} {
		var out, diag printed
		if code := run(t.Context(), args, &out, &diag); code != 2 || diag.String() == "" {
			t.Errorf("%v: exit status %d, %q", args, code, &diag)
		}
	}
}

// Whoever checks answers must find wrong ones.
func TestWrongAnswersAreFound(t *testing.T) {
	t.Parallel()
	v := &visitor{booked: booking{Number: 7, Flights: [2]int32{1, 2}, Seats: [2]int32{93, 107}}, reload: 5}
	right := summary{Flights: flights, Seats: flights * seatsAtWill, Oldest: 5, Newest: 5}
	for what, s := range map[string]struct {
		summary summary
		want    error
	}{
		"right":               {right, nil},
		"a flight is missing": {summary{flights - 1, right.Seats, 5, 5}, errMixed},
		"half a booking":      {summary{flights, right.Seats - 7, 5, 5}, errMixed},
		"half a reload":       {summary{flights, right.Seats, 5, 6}, errMixed},
		"an older reload":     {summary{flights, right.Seats, 4, 4}, errBack},
	} {
		if err := v.checkSummary(s.summary); !errors.Is(err, s.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	for what, s := range map[string]struct {
		flight flight
		want   error
	}{
		"right":            {flight{ID: 1, Booking: 7, Seats: 93}, nil},
		"an older booking": {flight{ID: 1, Booking: 6, Seats: 94}, errNotRead},
		"of the other one": {flight{ID: 1, Booking: 7, Seats: 107}, errNotRead},
	} {
		if err := v.checkFlight(0, s.flight); !errors.Is(err, s.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := checkFull(nil); !errors.Is(err, errMixed) {
		t.Errorf("nothing: got %v", err)
	}
}

// A booking that is asked for twice, or late, is done once.
func TestABookingIsDoneOnce(t *testing.T) {
	from, to := flight{Seats: 100}, flight{Seats: 100}
	second := booking{Number: 2, Seats: [2]int32{98, 102}}
	first := booking{Number: 1, Seats: [2]int32{99, 101}}
	for _, b := range []booking{second, first, second} {
		b.do(&from, &to)
	}
	if from.Seats != 98 || to.Seats != 102 || from.Booking != 2 {
		t.Errorf("got %+v, %+v", from, to)
	}
}

// The longest time without a booking counts from the beginning.
func TestTheLongestGap(t *testing.T) {
	var l ledger
	start := time.Unix(1000, 0)
	l.begin(start)
	for _, s := range []int{3, 4, 6} {
		l.written(start.Add(time.Duration(s) * time.Second))
	}
	if l.act.gap != 3*time.Second {
		t.Errorf("got %v", l.act.gap)
	}
	l.print(io.Discard, "one that is still waited for", start.Add(11*time.Second))
	if l.all.gap != 5*time.Second {
		t.Errorf("got %v", l.all.gap)
	}
}
