package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/table"
)

const (
	readers  = 2
	visitors = 4               // goroutines, each with one request under way
	patience = 5 * time.Second // for one answer
	everyAll = 25              // of so many requests one asks for everything
)

// visit starts the fleet, visits it, and returns an error if any answer was wrong.
func (o options) visit(ctx context.Context, out, diag io.Writer) (err error) {
	waves, err := loadWaves()
	if err != nil {
		return err
	}
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer server.Close()
	defer func() { err = errors.Join(err, drop(server)) }()
	url := o.redis
	if url == "" {
		url = "redis://" + server.Client.Options().Addr
	}
	flags := []string{"-redis", url, "-mirror=" + strconv.FormatBool(o.mirror)}
	f := &fleet{flags: flags, kinds: o.kinds(), diag: &shared{w: diag}, waves: waves}
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

// drop removes the table.
func drop(server *connect.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := table.Drop(ctx, server.Client, tableName); !errors.Is(err, table.ErrNoTable) {
		return err
	}
	return nil
}

// fleet is all processes but the visitor's.
type fleet struct {
	flags   []string // of them
	kinds   []kind   // that the readers answer from
	diag    io.Writer
	waves   []wave
	owner   *process
	readers []*process
	urls    []string // of the readers
	ledger  ledger
}

// start starts the owner and, when it has loaded the flights, the readers.
func (f *fleet) start(ctx context.Context) error {
	if err := f.startOwner(); err != nil {
		return err
	}
	if _, err := f.owner.ready(ctx); err != nil {
		return err
	}
	for range readers {
		if err := f.startReader(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) startOwner() (err error) {
	if f.owner, err = startProcess(owner, f.flags, f.diag); err == nil {
		f.ledger.owned()
	}
	return err
}

func (f *fleet) startReader(ctx context.Context) error {
	p, err := startProcess(reader, f.flags, f.diag)
	if err != nil {
		return err
	}
	f.readers = append(f.readers, p)
	address, err := p.ready(ctx)
	f.urls = append(f.urls, "http://"+address)
	return err
}

// stop ends all processes.
func (f *fleet) stop() {
	if f.owner != nil {
		f.owner.kill()
	}
	for _, p := range f.readers {
		p.kill()
	}
}

// run visits the readers from several goroutines, replaces owners meanwhile, and prints a line for each second. It ends sooner if a
// process ends by itself.
func (f *fleet) run(ctx context.Context, o options, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.stay)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for i := range visitors {
		g.Go(func() error { f.visitReaders(ctx, i); return nil })
	}
	for _, p := range f.readers {
		g.Go(func() error { return p.watch(ctx) })
	}
	g.Go(func() error { return f.replaceOwners(ctx, o.life) })
	g.Go(func() error { f.ledger.print(ctx, out); return nil })
	return g.Wait()
}

// replaceOwners kills the owner at the end of its life and starts another, until ctx ends.
func (f *fleet) replaceOwners(ctx context.Context, life time.Duration) error {
	for ctx.Err() == nil {
		alive, cancel := context.WithTimeout(ctx, life)
		err := f.owner.watch(alive)
		cancel()
		if err != nil || ctx.Err() != nil {
			return err
		}
		f.owner.kill()
		if err := f.startOwner(); err != nil {
			return err
		}
	}
	return nil
}

// request says what a visitor asks for.
type request int

const (
	forWave request = iota
	forAll
)

// visitReaders asks one reader after another, until ctx ends. Each request carries the position of the answer before, which the next
// reader may not have seen yet.
func (f *fleet) visitReaders(ctx context.Context, first int) {
	m, position := newMemory(f.waves), ""
	for n := first; ctx.Err() == nil; n++ {
		of, path := forWave, fmt.Sprintf("/waves/%d", n*7%len(f.waves))
		if n%everyAll == 0 {
			of, path = forAll, "/waves"
		}
		from, begin := f.kinds[n/len(f.urls)%len(f.kinds)], time.Now()
		answer, err := get(ctx, f.urls[n%len(f.urls)]+"/"+string(from)+path, position)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			f.ledger.failed(err)
		default:
			f.ledger.timed(from, time.Since(begin), answer.age)
			f.ledger.answered(m.check(answer.seen, of))
			position = answer.position
		}
	}
}

// answer is what a reader answers.
type answer struct {
	seen     []seen
	position string
	age      time.Duration
}

// get asks a reader for what is no older than position.
func get(ctx context.Context, url, position string) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return a, err
	}
	q.Header.Set(positionHeader, position)
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return a, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 500)) // what there is
		return a, fmt.Errorf("%s: %s", r.Status, text)
	}
	a.position = r.Header.Get(positionHeader)
	if a.age, err = time.ParseDuration(r.Header.Get(ageHeader)); err != nil {
		return a, err
	}
	return a, json.NewDecoder(r.Body).Decode(&a.seen)
}
