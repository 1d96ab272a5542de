package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/table"
)

const (
	replicas = 3
	visitors = 4 // goroutines, each with one request under way
	newest   = 2 // version of the service
)

// fleet is all replicas, as their operator sees them.
type fleet struct {
	options
	running  []*server
	balancer balancer
	ledger   ledger
	isDone   atomic.Bool // the deployment: all replicas are of the newest version
}

// server is a replica with its address.
type server struct {
	*process
	url string
}

// visit starts the fleet, visits it during all acts, and returns an error if anything was wrong.
func (o options) visit(ctx context.Context, out io.Writer) (err error) {
	redis, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer redis.Close()
	defer func() { err = errors.Join(err, drop(redis)) }()
	o.redis, o.diag = redis.URL, &shared{w: o.diag} // which all processes write to
	f := &fleet{options: o}
	defer f.stop()
	for range replicas {
		if err := f.start(ctx, f.version); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d flights in %s, %d replicas, a lease of %v\n", flights, redis.Name, replicas, o.lease)
	err = f.visited(ctx, func(ctx context.Context) error { return f.play(ctx, out) })
	return errors.Join(err, f.ledger.verdict(out))
}

// drop removes what the example has stored.
func drop(redis *connect.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := table.Drop(ctx, redis.Client, tableName)
	if errors.Is(err, table.ErrNoTable) {
		err = nil
	}
	return errors.Join(err, redis.Client.Del(ctx, bookingsName).Err())
}

// visited does something while visitors send requests.
func (f *fleet) visited(ctx context.Context, do func(context.Context) error) error {
	ctx, leave := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	f.ledger.begin(time.Now())
	for n := range visitors {
		g.Go(func() error { newVisitor(f, n).visit(ctx); return nil })
	}
	g.Go(func() error { defer leave(); return do(ctx) })
	return g.Wait()
}

// play plays the acts, and prints the figures of each.
func (f *fleet) play(ctx context.Context, out io.Writer) error {
	printHead(out)
	for _, act := range []struct {
		name string
		play func(context.Context) error
	}{
		{"nothing happens", func(context.Context) error { return nil }},
		{"version 2 is deployed", f.deploy},
		{"the owner is killed", f.killOwner},
		{"the owner is stopped", f.stopOwner},
	} {
		over := time.After(f.act)
		if err := act.play(ctx); err != nil {
			return fmt.Errorf("while %s: %w", act.name, err)
		}
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
		f.ledger.print(out, act.name, time.Now())
	}
	return f.check()
}

// check returns an error if a replica has ended by itself.
func (f *fleet) check() (err error) {
	for _, s := range f.running {
		err = errors.Join(err, s.check())
	}
	return err
}

// start starts a replica of a version, and has it visited when it is ready.
func (f *fleet) start(ctx context.Context, version int) error {
	p, err := startProcess([]string{
		"-redis", f.redis, "-version", strconv.Itoa(version), "-lease", f.lease.String(), "-reload", f.every.String(),
	}, f.diag)
	if err != nil {
		return err
	}
	s := &server{process: p}
	f.running = append(f.running, s)
	address, err := p.ready(ctx)
	s.url = "http://" + address
	f.balance()
	return err
}

// balance tells the balancer which replicas there are.
func (f *fleet) balance() {
	var urls []string
	for _, s := range f.running {
		urls = append(urls, s.url)
	}
	f.balancer.set(urls)
}

// remove takes a replica out of those that are visited.
func (f *fleet) remove(s *server) {
	f.running = slices.DeleteFunc(f.running, func(o *server) bool { return o == s })
	f.balance()
}

// stop ends all replicas.
func (f *fleet) stop() {
	for _, s := range f.running {
		s.kill()
	}
}

// deploy replaces one replica after another by one of the newest version, and waits until all have its index.
func (f *fleet) deploy(ctx context.Context) error {
	for _, old := range slices.Clone(f.running) {
		if err := f.start(ctx, newest); err != nil {
			return err
		}
		f.remove(old)
		if err := old.end(); err != nil {
			return err
		}
	}
	for _, s := range f.running {
		if err := f.wait(ctx, func() bool { _, err := get(ctx, s.url+"/mirror/full"); return err == nil }); err != nil {
			return err
		}
	}
	f.isDone.Store(true)
	return nil
}

// killOwner kills the owner, and starts a replica in its place.
func (f *fleet) killOwner(ctx context.Context) error {
	s, err := f.owner(ctx)
	if err != nil {
		return err
	}
	s.kill()
	if _, err := f.ownerBut(ctx, s); err != nil {
		return err
	}
	f.remove(s)
	return f.start(ctx, newest)
}

// stopOwner stops the owner for twice its lease. When it goes on it must find by itself that another one owns the table.
func (f *fleet) stopOwner(ctx context.Context) error {
	s, err := f.owner(ctx)
	if err != nil {
		return err
	}
	if err := s.process.stop(); err != nil {
		return err
	}
	over := time.After(2 * f.lease)
	if _, err = f.ownerBut(ctx, s); err == nil {
		<-over
	}
	return errors.Join(err, s.goOn())
}

// owner returns the replica that says that it owns the table, when there is one.
func (f *fleet) owner(ctx context.Context) (*server, error) { return f.ownerBut(ctx, nil) }

// ownerBut returns an owner other than one.
func (f *fleet) ownerBut(ctx context.Context, other *server) (owner *server, err error) {
	err = f.wait(ctx, func() bool {
		for _, s := range f.running {
			if s == other {
				continue
			}
			if says, err := get(ctx, s.url+"/owner"); err == nil && string(says) == "true" {
				owner = s
				return true
			}
		}
		return false
	})
	return owner, err
}

// wait waits until something holds, for patience at most.
func (f *fleet) wait(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
