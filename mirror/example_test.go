package mirror_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// Flight is the record of the examples.
type Flight struct {
	ID     int64
	To     string
	Gate   string
	Leaves float64 // the hour
}

func flightTable() table.Definition[Flight, int64] {
	return table.Definition[Flight, int64]{
		Name:       "flights",
		PrimaryKey: table.Key(codec.Int64, func(f *Flight) int64 { return f.ID }),
		Attributes: []table.Attribute[Flight]{
			table.Field("id", codec.Int64, func(f *Flight) *int64 { return &f.ID }),
			table.Field("to", codec.String, func(f *Flight) *string { return &f.To }),
			table.Field("gate", codec.String, func(f *Flight) *string { return &f.Gate }),
			table.Field("leaves", codec.Float64, func(f *Flight) *float64 { return &f.Leaves }),
		},
		Indexes: []table.Index[Flight]{table.By("leaves", func(f *Flight) float64 { return f.Leaves })},
	}
}

// embedded returns a client of a Redis inside the process; yours would be redis.NewClient(&redis.Options{Addr: "localhost:6379"}).
func embedded() (rdb *redis.Client, stop func()) {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	rdb = redis.NewClient(&redis.Options{Addr: server.Addr()})
	return rdb, func() {
		_ = rdb.Close() // nothing hangs on it any more
		server.Close()
	}
}

// openFlights opens a table of three flights, and a mirror of it, which may be in any process.
func openFlights(ctx context.Context) (*table.Table[Flight, int64], *mirror.Mirror[Flight, int64], func()) {
	rdb, stop := embedded()
	flights, err := table.Open(ctx, rdb, flightTable())
	if err == nil {
		err = flights.Put(ctx, Flight{1, "Oslo", "A4", 9.5}, Flight{2, "Lima", "B1", 10.25}, Flight{3, "Rome", "A2", 14})
	}
	if err != nil {
		panic(err)
	}
	m, err := mirror.Open(ctx, rdb, flightTable())
	if err != nil {
		panic(err)
	}
	return flights, m, func() {
		_ = m.Close() // is always nil, as the next one is
		_ = flights.Close()
		stop()
	}
}

// departures does not know whether it reads a table, a reader, a mirror or a snapshot.
func departures(ctx context.Context, flights table.Reading[Flight], from, to float64) {
	for f, err := range flights.Records(ctx, flights.Range("leaves", from, to)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.Leaves, f.To)
	}
}

// A mirror answers from memory what the table answers from Redis. A write is shown after WaitFor its position.
func ExampleOpen() {
	ctx := context.Background()
	flights, m, closed := openFlights(ctx)
	defer closed()
	departures(ctx, m, 9, 12)

	before := m.Snapshot()
	if err := flights.Put(ctx, Flight{4, "Bern", "C3", 9.75}); err != nil {
		fmt.Println(err)
		return
	}
	if err := m.WaitFor(ctx, flights.Position()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("then")
	departures(ctx, m, 9, 10)
	n, err := before.Count(ctx, before.All("leaves"))
	fmt.Println("before there were", n, err)
	// Output:
	// 9.5 Oslo
	// 10.25 Lima
	// then
	// 9.5 Oslo
	// 9.75 Bern
	// before there were 3 <nil>
}

// live streams what changes in the departures of the morning as Server-Sent Events.
func live(m *mirror.Mirror[Flight, int64]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for c, err := range m.Changes(r.Context(), m.Range("leaves", 6, 12)) {
			if err != nil {
				return // the client has gone, or the mirror was closed
			}
			data, err := json.Marshal(c.After)
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "event: %v\nid: %d\ndata: %s\n\n", c.Kind, c.Key, data); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
	}
}

// A page that is live: it is told what there is, and then what changes.
func ExampleMirror_Changes() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	flights, m, closed := openFlights(ctx)
	defer closed()
	server := httptest.NewServer(live(m))
	defer server.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()

	lines := bufio.NewScanner(answer.Body)
	next := func(events int) {
		for events > 0 && lines.Scan() {
			if lines.Text() == "" {
				events--
				continue
			}
			fmt.Println(lines.Text())
		}
	}
	next(3)
	err = flights.Put(ctx, Flight{2, "Lima", "B7", 10.25}) // another gate
	next(1)
	if err == nil {
		err = flights.Put(ctx, Flight{1, "Oslo", "A4", 15}) // late
	}
	next(1)
	fmt.Println(err)
	cancel()
	// Output:
	// event: enter
	// id: 1
	// data: {"ID":1,"To":"Oslo","Gate":"A4","Leaves":9.5}
	// event: enter
	// id: 2
	// data: {"ID":2,"To":"Lima","Gate":"B1","Leaves":10.25}
	// event: caught
	// id: 0
	// data: null
	// event: update
	// id: 2
	// data: {"ID":2,"To":"Lima","Gate":"B7","Leaves":10.25}
	// event: leave
	// id: 1
	// data: null
	// <nil>
}
