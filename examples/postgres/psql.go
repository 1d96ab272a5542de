package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"
)

// editor is somebody else who changes the database. Nobody tells the cache of it but the database.
type editor interface {
	// do runs a statement and returns when it is committed.
	do(ctx context.Context, statement string) error
	fmt.Stringer
	io.Closer
}

// newEditor returns psql, or a connection of its own where there is no psql, or it does not understand the URL. It ends with ctx at the latest.
func newEditor(ctx context.Context, d *database) (editor, error) {
	if p, err := startPSQL(ctx, d.url); err == nil {
		if p.do(ctx, "SELECT") == nil {
			return p, nil
		}
		_ = p.Close() // it has ended by itself
	}
	conn, err := pgx.ConnectConfig(ctx, d.direct)
	return connection{conn}, err
}

// connection is an editor without psql.
type connection struct{ *pgx.Conn }

func (c connection) String() string { return "a connection of its own" }
func (c connection) Close() error   { return c.Conn.Close(context.Background()) }

func (c connection) do(ctx context.Context, statement string) error {
	_, err := c.Exec(ctx, statement)
	return err
}

// psql is a psql that is told what to do as by somebody who types.
type psql struct {
	program *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	said    bytes.Buffer // its errors, to be read when it has ended
}

func startPSQL(ctx context.Context, url string) (*psql, error) {
	p := &psql{program: exec.CommandContext(ctx, "psql", "--no-psqlrc", "--no-password", "--set", "ON_ERROR_STOP=1", "--dbname", url)}
	p.program.Stderr = &p.said
	in, err := p.program.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.program.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewScanner(out)
	return p, p.program.Start()
}

func (p *psql) String() string { return "psql" }

// done is what psql says behind a statement.
const done = "-- done"

func (p *psql) do(_ context.Context, statement string) error {
	if _, err := fmt.Fprintf(p.in, "%s;\n\\echo '%s'\n", statement, done); err != nil {
		return errors.Join(err, p.Close())
	}
	for p.out.Scan() {
		if p.out.Text() == done {
			return nil
		}
	}
	return errors.Join(io.ErrUnexpectedEOF, p.Close())
}

// Close ends psql. The error has what it has said, if it has failed.
func (p *psql) Close() error {
	_ = p.in.Close() // it may have ended
	if err := p.program.Wait(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, strings.TrimSpace(p.said.String()))
	}
	return nil
}
