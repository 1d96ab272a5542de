package main

import (
	"bufio"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"
)

// form is how a list of records is written down.
type form struct{ contentType, open, between, end string }

var (
	lines = form{contentType: "application/x-ndjson", between: "\n", end: "\n"}
	array = form{contentType: "application/json", open: "[", between: ",\n", end: "]\n"}
)

// formFor returns an array for those who ask for JSON, and a line for each record for all others.
func formFor(r *http.Request) form {
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return array
	}
	return lines
}

// stream writes records as they come. An error before the first has a status of its own; after it nothing is left but
// to cut the connection, so that nobody takes a part for the whole.
func stream(w http.ResponseWriter, r *http.Request, flights iter.Seq2[flight, error]) {
	form := formFor(r)
	out := bufio.NewWriterSize(&patient{w: w, c: http.NewResponseController(w)}, 32<<10)
	w.Header().Set("Content-Type", form.contentType)
	n := 0
	for f, err := range flights {
		if err != nil && n == 0 {
			refuse(w, err)
			return
		}
		if err == nil {
			err = write(out, f, form, n)
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		n++
	}
	if n == 0 {
		_, _ = out.WriteString(form.open)
	}
	if n > 0 || form == array {
		_, _ = out.WriteString(form.end)
	}
	if out.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
}

// write writes record n.
func write(out *bufio.Writer, f flight, form form, n int) error {
	before := form.between
	if n == 0 {
		before = form.open
	}
	text, err := json.Marshal(f)
	if err == nil {
		_, err = out.WriteString(before)
	}
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

// stall is how long a client may take nothing before it is given up.
const stall = 10 * time.Second

// patient is a response whose client may read slowly, but must read.
type patient struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.c.SetWriteDeadline(time.Now().Add(stall)) // a test's recorder has no deadlines
	n, err := p.w.Write(b)
	_ = p.c.SetWriteDeadline(time.Time{})
	return n, err
}
