package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// requests sends one request after the other until until ends; a request that runs then comes to its end.
func (l *load) requests(ctx, until context.Context, f *figures) error {
	for until.Err() == nil {
		path, begin := somePath(), time.Now()
		answer, err := l.get(ctx, l.url+path)
		if err != nil {
			return err
		}
		f.took = append(f.took, time.Since(begin))
		whole, err := isWhole(answer, path)
		if err != nil {
			return err
		}
		if !whole {
			f.mixes++
		}
	}
	return nil
}

// somePath draws what a visitor asks for: mostly a few hours of a day, at times one flight or the longest delays, now
// and then the whole table.
func somePath() string {
	switch n := rand.IntN(100); {
	case n < 2:
		return everything
	case n < 12:
		return "/top?n=50"
	case n < 40:
		return fmt.Sprintf("/flights/%d", 1+rand.IntN(flights))
	}
	from := time.Date(2001, time.January, 1, rand.IntN(90*24), 0, 0, 0, time.UTC)
	q := url.Values{"from": {from.Format(time.RFC3339)}, "to": {from.Add(6 * time.Hour).Format(time.RFC3339)}}
	return "/flights?" + q.Encode()
}

func (l *load) get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := l.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: the answer broke off: %w", url, err)
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s: %s", url, answer.Status, bytes.TrimSpace(body))
	}
	return body, nil
}

// everything is the path whose answer is the whole table.
const everything = "/flights"

// flights is how many there are, after every reload.
const flights = 20_000

// isWhole tells whether an answer is of one data set: every reload gives all flights a new revision, and leaves as many
// as there were.
func isWhole(answer []byte, path string) (bool, error) {
	revisions := make(map[uint32]bool)
	n := 0
	for records := json.NewDecoder(bytes.NewReader(answer)); records.More(); n++ {
		var f flight
		if err := records.Decode(&f); err != nil {
			return false, err
		}
		revisions[f.Revision] = true
	}
	return len(revisions) <= 1 && (path != everything || n == flights), nil
}
