package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/table"
)

// setting is the two servers that the example is about.
type setting struct {
	database *database
	redis    *connect.Server
	failures func(error) // is told of what Listen tries again; nil: nobody is
	out      io.Writer
}

func open(ctx context.Context, o options, out io.Writer) (*setting, error) {
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return nil, err
	}
	d, err := openDatabase(ctx, o.pg)
	if err != nil {
		server.Close()
		return nil, err
	}
	return &setting{database: d, redis: server, out: out}, nil
}

func (s *setting) close() {
	s.database.pool.Close()
	s.redis.Close()
}

// run fills the database, keeps departures while use uses them, and then removes all.
func (s *setting) run(ctx context.Context, use func(context.Context, *departures) error) (err error) {
	if err := s.clear(ctx); err != nil { // an earlier run may have been killed
		return err
	}
	defer func() {
		s.database.line.mend()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = errors.Join(err, s.clear(ctx))
	}()
	if err := s.fill(ctx); err != nil {
		return err
	}
	return keep(ctx, s.redis.Client, s.database.pool, s.failures, use)
}

func (s *setting) fill(ctx context.Context) error {
	began := time.Now()
	n, err := s.database.fill(ctx)
	if err == nil {
		fmt.Fprintf(s.out, "%d flights and their airports in PostgreSQL, by COPY, in %v; the cache is in %s\n", n, brief(time.Since(began)), s.redis.Name)
	}
	return err
}

// clear removes what the example makes, in the database and in Redis.
func (s *setting) clear(ctx context.Context) error {
	err := table.Drop(ctx, s.redis.Client, definition.Name)
	if errors.Is(err, table.ErrNoTable) {
		err = nil
	}
	return errors.Join(err, s.database.clear(ctx))
}
