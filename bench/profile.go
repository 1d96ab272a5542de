package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"

	"github.com/redis/go-redis/v9"
)

// profiles says where profiles of our side go; no folder: none are made.
type profiles struct{ cpu, memory, commands string }

// profiled returns s with profiles taken of its last round.
func (b *bench) profiled(name string, s side) side {
	if b.profiles == (profiles{}) {
		return s
	}
	round := 0
	return func(ctx context.Context) (figure float64, err error) {
		if round++; round < b.rounds {
			return s(ctx)
		}
		stop, err := b.profiles.begin(ctx, name, b.bare)
		if err != nil {
			return 0, err
		}
		figure, err = s(ctx)
		return figure, errors.Join(err, stop())
	}
}

// begin starts all profiles; stop writes them.
func (p profiles) begin(ctx context.Context, name string, rdb *redis.Client) (stop func() error, err error) {
	if err := errors.Join(p.allocations(name+".before"), rdb.ConfigResetStat(ctx).Err()); err != nil {
		return nil, err
	}
	done, err := p.cycles(name)
	stop = func() error { return errors.Join(done(), p.allocations(name), p.server(ctx, name, rdb)) }
	return stop, err
}

func (p profiles) cycles(name string) (stop func() error, err error) {
	if p.cpu == "" {
		return func() error { return nil }, nil
	}
	f, err := create(p.cpu, name+".cpu.prof")
	if err != nil {
		return nil, err
	}
	stop = func() error { pprof.StopCPUProfile(); return f.Close() }
	return stop, pprof.StartCPUProfile(f)
}

// allocations writes all allocations so far: what lies between two such files, pprof -base tells.
func (p profiles) allocations(name string) error {
	if p.memory == "" {
		return nil
	}
	f, err := create(p.memory, name+".mem.prof")
	if err != nil {
		return err
	}
	runtime.GC() // brings the profile up to date
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// server writes what Redis did, and for how long: the time of a script includes that of the commands it calls.
func (p profiles) server(ctx context.Context, name string, rdb *redis.Client) error {
	if p.commands == "" {
		return nil
	}
	stats, err := rdb.Info(ctx, "commandstats", "cpu").Result()
	if err != nil {
		return err
	}
	f, err := create(p.commands, name+".redis.txt")
	if err != nil {
		return err
	}
	_, err = f.WriteString(stats)
	return errors.Join(err, f.Close())
}

func create(folder, name string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(folder, name))
}
