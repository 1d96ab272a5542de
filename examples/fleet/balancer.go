package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	patience = 10 * time.Second // of a visitor, for one answer
	oneTry   = time.Second      // of the balancer, until it tries another replica
)

// balancer sends each request to one replica after another until one answers, as a load balancer does, and spares for a while those that
// have not. That is safe because bookings are numbered.
type balancer struct {
	mu   sync.Mutex // guards what follows
	urls []string
	next int
	down map[string]time.Time // until when replicas are spared
}

func (b *balancer) set(urls []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.urls, b.down = urls, make(map[string]time.Time)
}

// pick returns the replica whose turn it is.
func (b *balancer) pick() (url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.urls {
		b.next++
		if url = b.urls[b.next%len(b.urls)]; time.Now().After(b.down[url]) {
			break
		}
	}
	return url
}

// spare notes that a replica has not answered.
func (b *balancer) spare(url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down[url] = time.Now().Add(oneTry)
}

// request is what a visitor asks for.
type request struct {
	method, path string
	body         []byte
	position     string // that the visitor has seen
	wait         time.Duration
	from         kind
}

// send returns the answer to a request, and its position.
func (b *balancer) send(ctx context.Context, q request) (answer []byte, position string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		url := b.pick()
		if answer, position, err = q.try(ctx, url); err == nil {
			return answer, position, nil
		}
		b.spare(url)
		select {
		case <-ctx.Done():
			return nil, "", err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// try asks one replica.
func (q request) try(ctx context.Context, url string) (answer []byte, position string, err error) {
	ctx, cancel := context.WithTimeout(ctx, oneTry+q.wait)
	defer cancel()
	h, err := http.NewRequestWithContext(ctx, q.method, url+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, "", err
	}
	h.Header.Set(positionHeader, q.position)
	r, err := http.DefaultClient.Do(h)
	if err != nil {
		return nil, "", err
	}
	defer r.Body.Close()
	answer, err = io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, answer)
	}
	return answer, r.Header.Get(positionHeader), err
}

// get asks one replica for something once.
func get(ctx context.Context, url string) ([]byte, error) {
	answer, _, err := request{method: http.MethodGet}.try(ctx, url)
	return answer, err
}
