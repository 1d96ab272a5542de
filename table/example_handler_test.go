package table_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/tablecache-go/tablecache/table"
)

// listCities streams all cities, and tells how the read ended, once it holds nothing any more.
func listCities(cities *table.Table[City, int64], ended chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var failed error
		defer func() { ended <- failed }()
		for c, err := range cities.Records(r.Context(), cities.All("people")) {
			if err == nil {
				_, err = io.WriteString(w, c.Name+"\n")
			}
			if err != nil {
				failed = errors.Join(err, context.Cause(r.Context()))
				panic(http.ErrAbortHandler) // what was sent must not look like all there is
			}
		}
	}
}

// The request's context ends when the client hangs up, and with it the read and all that it holds.
func ExampleTable_Records_handler() {
	cities, closed := openCities()
	defer closed()
	for n := range int64(500) { // more than the sockets between server and client hold
		if err := cities.Put(ctx, City{ID: 10 + n, Name: strings.Repeat("Lilliput ", 4000)}); err != nil {
			fmt.Println(err)
			return
		}
	}
	ended := make(chan error, 1)
	server := httptest.NewServer(listCities(cities, ended))
	defer server.Close()

	answer, err := http.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	first, err := bufio.NewReader(answer.Body).ReadString(' ')
	fmt.Println(first, err)
	_ = answer.Body.Close() // the client has had enough

	fmt.Println("canceled:", errors.Is(<-ended, context.Canceled))
	stats, err := cities.Stats(ctx)
	fmt.Println("pins:", stats.Pins, err)
	// Output:
	// Lilliput  <nil>
	// canceled: true
	// pins: 0 <nil>
}
