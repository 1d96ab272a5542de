package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profiles says where profiles go; no folder: none are made.
type profiles struct{ cpu, memory string }

// around returns s with a profile taken of its last round.
func (p profiles) around(name string, rounds int, s side) side {
	if p.cpu == "" && p.memory == "" {
		return s
	}
	round := 0
	return func(ctx context.Context) (figure float64, err error) {
		if round++; round < rounds {
			return s(ctx)
		}
		if err := p.allocations(name + ".before"); err != nil {
			return 0, err
		}
		stop, err := p.cycles(name)
		if err != nil {
			return 0, err
		}
		figure, err = s(ctx)
		return figure, errors.Join(err, stop(), p.allocations(name))
	}
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

func create(folder, name string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(folder, name))
}
