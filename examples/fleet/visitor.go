package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/table"
)

const (
	readers  = 2
	visits   = 4               // how many requests are under way at once
	patience = 5 * time.Second // for one answer
	everyAll = 25              // of so many requests one asks for everything
)

// visit starts the fleet, visits it, and returns an error if any answer was wrong.
func (o options) visit(ctx context.Context, out, diag io.Writer) error {
	hours, err := loadHours()
	if err != nil {
		return err
	}
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer server.Close()
	defer drop(server)
	url := o.redis
	if url == "" {
		url = "redis://" + server.Client.Options().Addr
	}
	f := &fleet{redis: url, diag: diag, hours: hours, ledger: &ledger{}}
	defer f.stop()
	if err := f.start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d flights in %s: one owner, %d readers, one visitor\n", mostFlights, server.Name, readers)
	if err := f.run(ctx, o, out); err != nil {
		return err
	}
	return f.ledger.verdict(out)
}

// drop removes the table from the user's server.
func drop(server *connect.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = table.Drop(ctx, server.Client, tableName) // there may be none
}

// fleet is all processes but the visitor.
type fleet struct {
	redis   string
	diag    io.Writer
	owner   *process
	readers []*process
	urls    []string
	hours   []hour
	ledger  *ledger
}

func (f *fleet) start(ctx context.Context) error {
	if err := f.startOwner(); err != nil {
		return err
	}
	for range readers {
		p, url, err := startReader(ctx, f.redis, f.diag)
		if err != nil {
			return err
		}
		f.readers, f.urls = append(f.readers, p), append(f.urls, url)
	}
	return nil
}

func (f *fleet) startOwner() (err error) {
	if f.owner, err = startProcess(owner, f.redis, f.diag, f.diag); err != nil {
		return err
	}
	f.ledger.add(figures{owners: 1}, nil)
	return nil
}

func (f *fleet) stop() {
	if f.owner != nil {
		f.owner.kill()
	}
	for _, p := range f.readers {
		p.kill()
	}
}

// run visits the readers from several goroutines, kills owners meanwhile, and prints a line for each second.
func (f *fleet) run(ctx context.Context, o options, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.time)
	defer cancel()
	var g errgroup.Group
	for i := range visits {
		g.Go(func() error { return f.visitReaders(ctx, i) })
	}
	g.Go(func() error { return f.replaceOwners(ctx, o.life) })
	g.Go(func() error { return f.ledger.print(ctx, out) })
	return g.Wait()
}

// replaceOwners kills the owner at the end of its life, and starts another.
func (f *fleet) replaceOwners(ctx context.Context, life time.Duration) error {
	tick := time.NewTicker(life)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.owner.done:
			return errors.New("the owner has ended by itself")
		case <-tick.C:
		}
		f.owner.kill()
		if err := f.startOwner(); err != nil {
			return err
		}
	}
}

// visitReaders asks one reader after another, until ctx ends. Each request carries the position of the answer before.
func (f *fleet) visitReaders(ctx context.Context, first int) error {
	client := &http.Client{Timeout: patience}
	m := memory{hours: f.hours, latest: make(map[int]uint32)}
	position := ""
	for n := first; ctx.Err() == nil; n++ {
		all, path := n%everyAll == 0, "/hours"
		if !all {
			path = fmt.Sprintf("/hours/%d", n*7%len(f.hours))
		}
		parts, next, err := ask(client, f.urls[n%len(f.urls)]+path, position)
		if err != nil {
			f.ledger.add(figures{failed: 1}, err)
			continue
		}
		f.ledger.add(m.check(parts, all), nil)
		position = next
	}
	return nil
}

// ask returns the parts in an answer, and its position.
func ask(client *http.Client, url, position string) ([]seen, string, error) {
	q, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	q.Header.Set(positionHeader, position)
	r, err := client.Do(q)
	if err != nil {
		return nil, "", err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 500))
		return nil, "", fmt.Errorf("%s: %s", r.Status, text)
	}
	var parts []seen
	if err := json.NewDecoder(r.Body).Decode(&parts); err != nil {
		return nil, "", err
	}
	return parts, r.Header.Get(positionHeader), nil
}
