package main

import (
	"context"
	"math/rand/v2"

	"github.com/redis/go-redis/v9"
)

// trips tells what one round trip is made of on this machine: a command, what a guard around it adds, a script instead of it,
// and a second goroutine that waits for the socket in place of the caller, who can leave when its context ends.
func (b *bench) trips(ctx context.Context) error {
	s, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	script, err := b.bare.ScriptLoad(ctx, "return redis.call('HMGET', KEYS[1], ARGV[1])").Result()
	if err != nil {
		return err
	}
	r := report{mark: "trips", head: []string{"one look-up, 1 goroutine", "per second", "µs", "rate beside HGET"}, widths: []int{-40, 11, 7, 16}}
	r.begin()
	post := startPost()
	defer close(post)
	hget := func(ctx context.Context, key string) error { return b.bare.HGet(ctx, s.bare.rows, key).Err() }
	guarded := func(ctx context.Context, key string) error { return s.guarded(ctx, key) }
	eval := func(ctx context.Context, key string) error {
		return b.bare.EvalSha(ctx, script, []string{s.bare.rows}, key).Err()
	}
	for _, way := range []struct {
		what string
		look looking
	}{
		{"HGET", hget},
		{"HGET, another goroutine waits", post.around(hget)},
		{"HMGET and two guards in a pipeline", guarded},
		{"the same, another goroutine waits", post.around(guarded)},
		{"a script that does HMGET", eval},
		{"the same, another goroutine waits", post.around(eval)},
	} {
		o, err := compete(ctx, contest{b.looked(way.look), b.looked(hget)}, b.rounds, 1)
		if err != nil {
			return err
		}
		r.add(way.what, thousands(median(o.ours)), fixed(1e6/median(o.ours)), fixed(median(o.ratio)))
	}
	return r.end(b.options)
}

type looking func(ctx context.Context, key string) error

func (b *bench) looked(look looking) side {
	return rate(1, b.time, func(ctx context.Context, random *rand.Rand) error {
		return look(ctx, string(encodeKey(b.any(random).ID)))
	})
}

// guarded asks for a row between two looks at the table's truth.
func (s *sides) guarded(ctx context.Context, key string) error {
	truth := s.table.Name() + ":m"
	_, err := s.bare.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HMGet(ctx, truth, "epoch", "seq", "gen", "state", "rver")
		p.HMGet(ctx, s.bare.rows, key)
		p.HMGet(ctx, truth, "epoch", "seq", "gen", "state", "rver")
		return nil
	})
	return err
}

// post takes work to a goroutine of its own.
type post chan letter

type letter struct {
	do   func() error
	done chan error
}

// startPost returns a post that works until it is closed.
func startPost() post {
	p := make(post)
	go func() {
		for l := range p {
			l.done <- l.do()
		}
	}()
	return p
}

func (p post) around(look looking) looking {
	return func(ctx context.Context, key string) error {
		l := letter{do: func() error { return look(ctx, key) }, done: make(chan error, 1)}
		p <- l
		select {
		case err := <-l.done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
