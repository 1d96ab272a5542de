package examples_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/table"
)

// embedded returns a client of a Redis in this process.
func embedded(ctx context.Context) (rdb redis.UniversalClient, stop func()) {
	server, err := connect.To(ctx, "")
	if err != nil {
		panic(err)
	}
	return server.Client, server.Close
}

func Example() {
	ctx := context.Background()
	rdb, stop := embedded(ctx)
	defer stop()
	if err := largest(ctx, rdb); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Lima 10092000
	// Rome 2749000
}

func reload(ctx context.Context, cities *table.Table[City, int64], from, to float64, source iter.Seq[[]City]) error {
	s, err := cities.Scratch(ctx) // a session of our own: other loaders wait for its end
	if err != nil {
		return err
	}
	defer s.Abort(ctx) // after the merge it does nothing; after an error it is as if nothing had happened
	// What is there must go; what the source brings again lives on.
	if _, err := s.Discard(ctx, cities.Range("people", from, to)); err != nil {
		return err
	}
	for batch := range source {
		if err := s.Put(ctx, batch...); err != nil {
			return err
		}
	}
	return s.Merge(ctx, nil) // one small script, whatever the size
}

func grow(ctx context.Context, cities *table.Table[City, int64]) error {
	s, err := cities.Scratch(ctx)
	if err != nil {
		return err
	}
	defer s.Abort(ctx)
	for c, err := range cities.Records(ctx, cities.All("people")) {
		if err == nil {
			c.People += c.People / 100
			err = s.Put(ctx, c)
		}
		if err != nil {
			return err
		}
	}
	return s.Merge(ctx, nil)
}

func moveIn(ctx context.Context, cities *table.Table[City, int64], id int64, people int32) error {
	return cities.Update(ctx, id, func(c *City) error {
		c.People += people // may run several times: it should do nothing else
		if c.People < 0 {
			return fmt.Errorf("%s has too few people", c.Name) // nothing has changed then
		}
		return nil
	})
}

// event is an entry of a log: what became of a city. No city: it is gone.
type event struct {
	Offset int64
	ID     int64
	City   *City
}

func consume(ctx context.Context, cities *table.Table[City, int64], read func(from int64) ([]event, error)) error {
	note, err := cities.Note(ctx) // nil before the first batch
	if err != nil {
		return err
	}
	next := int64(0)
	if note != nil {
		if next, err = strconv.ParseInt(string(note), 10, 64); err != nil {
			return err
		}
	}
	for {
		events, err := read(next) // up to 1,000
		if err != nil || len(events) == 0 {
			return err
		}
		latest := make(map[int64]*City) // a key may be put or deleted in one batch, not both
		for _, e := range events {
			latest[e.ID], next = e.City, e.Offset+1
		}
		batch := table.Batch[City, int64]{Note: strconv.AppendInt(nil, next, 10)}
		for id, city := range latest {
			if city == nil {
				batch.Delete = append(batch.Delete, id)
			} else {
				batch.Put = append(batch.Put, *city)
			}
		}
		if err := cities.Apply(ctx, batch); err != nil {
			return err // also ErrUnknownOutcome: begin anew, with the note as it is then
		}
	}
}

// Departure is stored whole; its airport's number and its hour make the score by which it is found.
type Departure struct {
	Flight  int64
	Airport uint32
	At      time.Time
}

// hour is a moment's number among all hours since 1970.
func hour(at time.Time) uint32 { return uint32(at.Unix() / 3600) }

var departures = table.Definition[Departure, int64]{
	Name:       "departures",
	PrimaryKey: table.Key(codec.Int64, func(d *Departure) int64 { return d.Flight }),
	Attributes: []table.Attribute[Departure]{
		table.Field("flight", codec.Int64, func(d *Departure) *int64 { return &d.Flight }),
		table.Field("airport", codec.Uint32, func(d *Departure) *uint32 { return &d.Airport }),
		table.Field("at", codec.Time, func(d *Departure) *time.Time { return &d.At }),
	},
	Indexes: []table.Index[Departure]{
		table.By("airport-hour", func(d *Departure) float64 { return table.Segment(d.Airport, hour(d.At)) }),
		table.ByTime("at", func(d *Departure) time.Time { return d.At }),
	},
}

func departing(ctx context.Context, t *table.Table[Departure, int64], airport uint32, from, to time.Time) ([]Departure, error) {
	return table.Collect(t.Records(ctx, table.Spec[Departure]{
		Index:     "airport-hour",
		Intervals: []table.Interval{table.InSegment(airport, hour(from), hour(to))},
	}))
}

// cityPage is what a client gets: some cities, and where the next ones are.
type cityPage struct {
	Cities []City `json:"cities"`
	Next   string `json:"next,omitempty"`
}

func listing(cities *table.Table[City, int64]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		after := table.Token(r.FormValue("after")) // empty: the first page
		page, next, err := cities.Page(r.Context(), cities.All("people").Reversed(), after, 50)
		if errors.Is(err, table.ErrInvalidSpec) {
			http.Error(w, err.Error(), http.StatusBadRequest) // not a token of this listing
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		answer := cityPage{Cities: page}
		if next != "" {
			answer.Next = r.URL.Path + "?after=" + string(next) // safe in a URL as it is
		}
		_ = json.NewEncoder(w).Encode(answer) // whoever cannot be answered has gone
	}
}

// openCities opens a table with cities of 100, 200 and 300 people.
func openCities(t *testing.T, opts ...table.Option) *table.Table[City, int64] {
	t.Helper()
	rdb, stop := embedded(t.Context())
	t.Cleanup(stop)
	cities, err := table.Open(t.Context(), rdb, definition, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cities.Close() })
	if err := cities.Put(t.Context(), City{1, "A", 100}, City{2, "B", 200}, City{3, "C", 300}); err != nil {
		t.Fatal(err)
	}
	return cities
}

func people(t *testing.T, cities *table.Table[City, int64]) (all []int32) {
	t.Helper()
	for c, err := range cities.Records(t.Context(), cities.All("people")) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.People)
	}
	return all
}

func TestReload(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	source := slices.Values([][]City{{{1, "A", 111}}, {{4, "D", 44}}})
	if err := reload(t.Context(), cities, 0, 250, source); err != nil {
		t.Fatal(err)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{44, 111, 300}) {
		t.Errorf("got %v", got)
	}
	bad := slices.Values([][]City{{{1, "A", 999}}, {{1, "\xff", 1}}})
	if err := reload(t.Context(), cities, 0, 250, bad); err == nil {
		t.Error("a name that is no text was taken")
	}
	if got := people(t, cities); !slices.Equal(got, []int32{44, 111, 300}) {
		t.Errorf("after a reload that failed: got %v", got)
	}
}

func TestUpdateSingleRecordsWhileAReloadRuns(t *testing.T) {
	t.Parallel()
	cities := openCities(t, table.WithWriteThrough())
	source := func(yield func([]City) bool) {
		if !yield([]City{{1, "A", 111}}) {
			return
		}
		if err := moveIn(t.Context(), cities, 2, 5); err != nil {
			t.Error(err)
		}
		if got := people(t, cities); !slices.Equal(got, []int32{100, 205, 300}) {
			t.Errorf("during the reload: got %v", got)
		}
		yield([]City{{2, "B", 200}})
	}
	if err := reload(t.Context(), cities, 0, 250, source); err != nil {
		t.Fatal(err)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{111, 205, 300}) {
		t.Errorf("got %v", got)
	}
}

func TestReadChangeWriteBack(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	if err := grow(t.Context(), cities); err != nil {
		t.Fatal(err)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{101, 202, 303}) {
		t.Errorf("got %v", got)
	}
}

func TestCountersAndOtherChangesOfOneRecord(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	var g errgroup.Group
	for range 20 {
		g.Go(func() error { return moveIn(t.Context(), cities, 2, 5) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := moveIn(t.Context(), cities, 1, -101); err == nil || !strings.Contains(err.Error(), "A has too few people") {
		t.Errorf("got %v", err)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{100, 300, 300}) {
		t.Errorf("got %v", got)
	}
}

func TestConsumeALogExactlyOnce(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	log := []event{{0, 7, &City{7, "G", 70}}, {1, 1, nil}, {2, 7, &City{7, "G", 71}}, {3, 2, nil}, {4, 2, &City{2, "B", 22}}}
	reads, dies := []int64{}, errors.New("the consumer dies")
	read := func(from int64) ([]event, error) {
		reads = append(reads, from)
		if len(reads) == 2 {
			return nil, dies
		}
		return log[from:min(from+2, int64(len(log)))], nil
	}
	if err := consume(t.Context(), cities, read); !errors.Is(err, dies) {
		t.Errorf("got %v", err)
	}
	if err := consume(t.Context(), cities, read); err != nil {
		t.Error(err)
	}
	if !slices.Equal(reads, []int64{0, 2, 2, 4, 5}) {
		t.Errorf("read from %v", reads)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{22, 71, 300}) {
		t.Errorf("got %v", got)
	}
}

func TestOneAirportsDeparturesOfAnHour(t *testing.T) {
	t.Parallel()
	rdb, stop := embedded(t.Context())
	t.Cleanup(stop)
	tbl, err := table.Open(t.Context(), rdb, departures)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tbl.Close() })
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var all []Departure
	for i := range 24 {
		all = append(all, Departure{int64(2 * i), 7, noon.Add(time.Duration(i) * 10 * time.Minute)},
			Departure{int64(2*i + 1), 8, noon.Add(time.Duration(i) * 10 * time.Minute)})
	}
	if err := tbl.Put(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	got, err := departing(t.Context(), tbl, 7, noon.Add(time.Hour), noon.Add(2*time.Hour))
	if err != nil || len(got) != 6 || got[0] != (Departure{12, 7, noon.Add(time.Hour)}) {
		t.Errorf("got %v, %v", got, err)
	}
	late, err := table.Collect(tbl.Records(t.Context(), tbl.Range("at", table.TimeScore(noon.Add(3*time.Hour)), table.TimeScore(noon.Add(4*time.Hour)))))
	if err != nil || len(late) != 12 {
		t.Errorf("%d departures, %v", len(late), err)
	}
}

func TestPagesForAnHTTPHandler(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	for i := range int64(120) {
		if err := cities.Put(t.Context(), City{10 + i, "E", 50}); err != nil {
			t.Fatal(err)
		}
	}
	h := listing(cities)
	seen, pages := make(map[int64]bool), 0
	for path := "/cities"; path != ""; pages++ {
		w := httptest.NewRecorder()
		h(w, httptest.NewRequest("GET", path, nil))
		var page cityPage
		if err := json.NewDecoder(w.Body).Decode(&page); err != nil || w.Code != http.StatusOK || pages > 3 {
			t.Fatalf("page %d: %d, %v", pages, w.Code, err)
		}
		for _, c := range page.Cities {
			seen[c.ID] = true
		}
		path = page.Next
	}
	if len(seen) != 123 || pages != 3 {
		t.Errorf("%d cities on %d pages", len(seen), pages)
	}
	w := httptest.NewRecorder()
	if h(w, httptest.NewRequest("GET", "/cities?after=x", nil)); w.Code != http.StatusBadRequest {
		t.Errorf("a damaged token: %d", w.Code)
	}
}
