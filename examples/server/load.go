package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// errMix would mean that a guarantee of the library does not hold.
var errMix = errors.New("an answer was a mix of two data sets")

// drive sends requests to a server, first without reloads, then with one every second, and prints how long they took.
func drive(ctx context.Context, url string, o options, out io.Writer) error {
	transport := &http.Transport{MaxIdleConnsPerHost: o.clients + 1}
	defer transport.CloseIdleConnections()
	l := &load{url: url, client: &http.Client{Transport: transport}, clients: o.clients}
	fmt.Fprintf(out, "%d clients, %v each part\n\n", o.clients, o.duration)
	calm, err := l.part(ctx, o.duration, noReloads)
	if err != nil {
		return err
	}
	busy, err := l.part(ctx, o.duration, l.reloads)
	if err != nil {
		return err
	}
	if err := print(out, calm, busy); err != nil {
		return err
	}
	if n := calm.mixes + busy.mixes; n > 0 {
		return fmt.Errorf("%w: %d times", errMix, n)
	}
	return nil
}

// load drives a server.
type load struct {
	url     string
	client  *http.Client
	clients int
}

// part sends requests for a while, from all clients, beside something else that returns how many reloads it did.
func (l *load) part(ctx context.Context, d time.Duration, beside func(ctx, until context.Context) (int, error)) (*figures, error) {
	until, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	group, until := errgroup.WithContext(until)
	all := make([]figures, l.clients)
	for i := range all {
		group.Go(func() error { return l.requests(ctx, until, &all[i]) })
	}
	sum := &figures{}
	group.Go(func() (err error) {
		sum.reloads, err = beside(ctx, until)
		return err
	})
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	for i := range all {
		sum.add(&all[i])
	}
	sum.duration = d
	return sum, nil
}

func noReloads(_, _ context.Context) (int, error) { return 0, nil }

// reloads reloads the whole data set at once and then every second. It does not break off the last reload.
func (l *load) reloads(ctx, until context.Context) (n int, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for until.Err() == nil {
		if err := l.reload(ctx); err != nil {
			return n, err
		}
		n++
		select {
		case <-tick.C:
		case <-until.Done():
		}
	}
	return n, nil
}

func (l *load) reload(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/reload", nil)
	if err != nil {
		return err
	}
	body, err := l.client.Do(r)
	if err != nil {
		return err
	}
	defer body.Body.Close()
	if body.StatusCode != http.StatusOK {
		return fmt.Errorf("reload: %s", body.Status)
	}
	return nil
}
