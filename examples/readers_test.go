package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table"
)

// positionHeader carries a position: in a request what the client has seen or done so far, in an answer what it has seen now.
const positionHeader = "Table-Position"

// city answers from any handle: the owner's table, or a reader of another process.
func city(cities table.KeyReading[City, int64]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := cityAt(r.Context(), cities, r.Header.Get(positionHeader), r.PathValue("id"))
		switch {
		case errors.Is(err, table.ErrNotFound):
			http.Error(w, err.Error(), http.StatusNotFound)
		case errors.Is(err, table.ErrInvalidPosition), errors.As(err, new(*strconv.NumError)):
			http.Error(w, err.Error(), http.StatusBadRequest)
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		default:
			w.Header().Set(positionHeader, cities.Position().String())
			_ = json.NewEncoder(w).Encode(c) // whoever cannot be answered has gone
		}
	}
}

// cityAt reads a city, not before the table shows what position stands for; an empty one stands for nothing.
func cityAt(ctx context.Context, cities table.KeyReading[City, int64], position, id string) (City, error) {
	key, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return City{}, err
	}
	seen, err := table.ParsePosition(position)
	if err != nil {
		return City{}, err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := cities.WaitFor(waiting, seen); err != nil {
		return City{}, err
	}
	return cities.Get(ctx, key)
}

// export prints a table of which only the name is known, as JSON.
func export(ctx context.Context, rdb redis.UniversalClient, name string, out io.Writer) error {
	def, err := table.StoredDefinition(ctx, rdb, name)
	if err != nil {
		return err
	}
	rows, err := table.OpenReader(ctx, rdb, def)
	if err != nil {
		return err
	}
	defer rows.Close()
	for record, err := range rows.Records(ctx, rows.All("people")) { // a map[string]any
		if err == nil {
			err = json.NewEncoder(out).Encode(record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openBoth opens a table, and a reader of it.
func openBoth(t *testing.T) (rdb redis.UniversalClient, cities *table.Table[City, int64], reader *table.Reader[City, int64]) {
	t.Helper()
	rdb, stop := embedded(t.Context())
	t.Cleanup(stop)
	cities, err := table.Open(t.Context(), rdb, definition)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cities.Close() })
	if reader, err = table.OpenReader(t.Context(), rdb, definition); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return rdb, cities, reader
}

func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	_, cities, reader := openBoth(t)
	m := http.NewServeMux()
	m.HandleFunc("GET /{id}", city(reader))
	get := func(path, position string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
		r.Header.Set(positionHeader, position)
		m.ServeHTTP(w, r)
		return w
	}
	for n := range int64(10) {
		if err := cities.Put(t.Context(), City{n, "A", int32(n)}); err != nil {
			t.Fatal(err)
		}
		w, position := get(fmt.Sprint("/", n), cities.Position().String()), cities.Position().String()
		if w.Code != http.StatusOK || w.Header().Get(positionHeader) != position {
			t.Fatalf("%d at %q, want %q: %s", w.Code, w.Header().Get(positionHeader), position, w.Body)
		}
	}
	for _, wrong := range []struct {
		path, position string
		code           int
	}{
		{"/5", "", http.StatusOK}, {"/50", "", http.StatusNotFound}, {"/x", "", http.StatusBadRequest},
		{"/5", "nonsense", http.StatusBadRequest},
	} {
		if w := get(wrong.path, wrong.position); w.Code != wrong.code {
			t.Errorf("%v: got %d, %s", wrong, w.Code, w.Body)
		}
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	rdb, cities, _ := openBoth(t)
	if err := cities.Put(t.Context(), City{1, "A", 100}, City{2, "B", 50}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := export(t.Context(), rdb, "cities", &out)
	if want := `{"id":2,"name":"B","people":50}` + "\n" + `{"id":1,"name":"A","people":100}` + "\n"; err != nil || out.String() != want {
		t.Errorf("got %v, %s", err, &out)
	}
	if err := export(t.Context(), rdb, "towns", &out); !errors.Is(err, table.ErrNoTable) {
		t.Errorf("got %v, want ErrNoTable", err)
	}
}
