package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// visitor books flights of its own, one booking after another, and checks what it is shown. Each request carries the position
// of the answer before, which the next replica may not have seen yet.
type visitor struct {
	fleet    *fleet
	position string
	booked   booking // the latest
	reload   uint32  // the latest that it has seen
	rounds   int
}

func newVisitor(f *fleet, n int) *visitor {
	first := int32(2*n + 1)
	return &visitor{fleet: f, booked: booking{Flights: [2]int32{first, first + 1}}}
}

// pause is between rounds of requests.
const pause = 5 * time.Millisecond

// visit sends requests until ctx ends.
func (v *visitor) visit(ctx context.Context) {
	for ; ctx.Err() == nil; v.rounds++ {
		v.book(ctx)
		v.seeFlights(ctx)
		v.seeSummary(ctx)
		if v.fleet.isDone.Load() {
			v.seeFull(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// ask sends a request, and decodes the answer. It returns false if there was none, which is noted.
func (v *visitor) ask(ctx context.Context, q request, into any) bool {
	begin := time.Now()
	q.position = v.position
	answer, position, err := v.fleet.balancer.send(ctx, q)
	if err == nil {
		err = json.Unmarshal(answer, into)
	}
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		v.fleet.ledger.failed(fmt.Errorf("%s %s: %w", q.method, q.path, err))
		return false
	}
	v.position = position
	v.fleet.ledger.answered(q.from, time.Since(begin))
	return true
}

// book books, and goes on asking for that booking until it is done: it is numbered.
func (v *visitor) book(ctx context.Context) {
	next := v.booked
	next.Number++
	moved := int32(next.Number % seatsAtWill)
	next.Seats = [2]int32{seatsAtWill - moved, seatsAtWill + moved}
	body, _ := json.Marshal(next) // which cannot fail
	for ctx.Err() == nil {
		var done booking
		if v.ask(ctx, request{method: http.MethodPut, path: "/bookings", body: body, wait: 2 * v.fleet.lease}, &done) {
			v.booked = next
			v.fleet.ledger.written(time.Now())
			return
		}
	}
}

// What is wrong with an answer.
var (
	errMixed   = errors.New("a mix of several moments")
	errBack    = errors.New("older than an answer before")
	errNotRead = errors.New("a booking that was done is not shown")
)

// get returns a request for something, by turns from all kinds.
func (v *visitor) get(path string) request {
	kinds := v.fleet.kinds()
	from := kinds[v.rounds%len(kinds)]
	return request{method: http.MethodGet, path: "/" + string(from) + path, from: from}
}

func (v *visitor) seeFlights(ctx context.Context) {
	for i, id := range v.booked.Flights {
		var f flight
		if v.ask(ctx, v.get(fmt.Sprint("/flights/", id)), &f) {
			v.fleet.ledger.found(v.checkFlight(i, f))
		}
	}
}

func (v *visitor) checkFlight(i int, f flight) error {
	if f.Booking != v.booked.Number || f.Seats != v.booked.Seats[i] {
		return fmt.Errorf("%w: flight %d has booking %d, not %d", errNotRead, f.ID, f.Booking, v.booked.Number)
	}
	return nil
}

func (v *visitor) seeSummary(ctx context.Context) {
	var s summary
	if v.ask(ctx, v.get("/summary"), &s) {
		v.fleet.ledger.found(v.checkSummary(s))
	}
}

func (v *visitor) checkSummary(s summary) error {
	switch {
	case s.Flights != flights, s.Seats != flights*seatsAtWill, s.Oldest != s.Newest:
		return fmt.Errorf("%w: %+v", errMixed, s)
	case s.Newest < v.reload:
		return fmt.Errorf("%w: reload %d after %d", errBack, s.Newest, v.reload)
	}
	v.reload = s.Newest
	return nil
}

func (v *visitor) seeFull(ctx context.Context) {
	var of []flight
	if v.ask(ctx, v.get("/full"), &of) {
		v.fleet.ledger.found(checkFull(of))
	}
}

// checkFull checks the flights with the fewest seats.
func checkFull(of []flight) error {
	if len(of) != 10 || !slices.IsSortedFunc(of, func(a, b flight) int { return int(a.Seats - b.Seats) }) {
		return fmt.Errorf("%w: %d flights in the order of their seats", errMixed, len(of))
	}
	return nil
}
