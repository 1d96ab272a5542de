package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// search finds cities by the first letters of their names. It is a Follower: Follow keeps it in step with a table.
type search struct {
	told   map[int64]string         // the names that readers see, as far as they were told
	staged map[int64]*string        // what a merge will make of them; nil: discarded
	shown  atomic.Pointer[[]string] // sorted: all names at one moment of the table
}

func (s *search) BeginCopy() error {
	s.told, s.staged = make(map[int64]string), make(map[int64]*string)
	return nil
}

func (s *search) CopyRows(rows []table.Row[City, int64]) error {
	for _, r := range rows {
		if r.Err == nil { // else it is damaged, and cannot be found
			s.told[r.Key] = r.Record.Name
		}
	}
	return nil
}

func (s *search) Apply(e table.Effect[City, int64]) error {
	switch e.Kind {
	case table.EffectPut:
		return s.put(e.Rows)
	case table.EffectDelete:
		s.remove(e.Rows)
	case table.EffectApply: // both, at one moment
		s.remove(e.Gone)
		return s.put(e.Rows)
	case table.EffectStage: // nobody sees it before the merge
		for _, r := range e.Rows {
			s.staged[r.Key] = new(r.Record.Name)
		}
	case table.EffectDiscard:
		for _, r := range e.Rows {
			s.staged[r.Key] = nil
		}
	case table.EffectMerge:
		s.merge()
	case table.EffectAbort:
		clear(s.staged)
	case table.EffectClear:
		clear(s.told)
		clear(s.staged)
	}
	return nil
}

// put stores rows, and forgets what a merge would have made of them. So does remove.
func (s *search) put(rows []table.Row[City, int64]) error {
	s.forget(rows)
	return s.CopyRows(rows)
}

func (s *search) remove(rows []table.Row[City, int64]) {
	s.forget(rows)
	for _, r := range rows {
		delete(s.told, r.Key)
	}
}

func (s *search) forget(rows []table.Row[City, int64]) {
	for _, r := range rows {
		delete(s.staged, r.Key)
	}
}

func (s *search) merge() {
	for id, name := range s.staged {
		if name == nil {
			delete(s.told, id)
		} else {
			s.told[id] = *name
		}
	}
	clear(s.staged)
}

// InStep is told when all that was told is the table at one moment. What is shown changes here and nowhere else.
func (s *search) InStep(table.Position) error {
	names := make([]string, 0, len(s.told))
	for _, name := range s.told {
		names = append(names, name)
	}
	slices.Sort(names)
	s.shown.Store(&names)
	return nil
}

func (s *search) Proven(time.Time) error { return nil }

// find may be called from any goroutine.
func (s *search) find(letters string) (found []string) {
	names := s.shown.Load()
	if names == nil {
		return nil // it has not been in step yet
	}
	for _, name := range *names {
		if strings.HasPrefix(name, letters) {
			found = append(found, name)
		}
	}
	return found
}

// watched tells a channel, too, how far the search has come.
type watched struct {
	*search
	at chan table.Position
}

func (w watched) InStep(p table.Position) error {
	err := w.search.InStep(p)
	w.at <- p
	return err
}

// await waits until the search shows what the owner has done.
func (w watched) await(p table.Position) {
	for at := range w.at {
		if at == p {
			return
		}
	}
}

// A search index that shows what readers of the table see, one moment after another. It may be in any process that reaches Redis.
func ExampleFollow() {
	rdb, down := embedded()
	defer down()
	cities, err := table.Open(ctx, rdb, cityTable())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	index := watched{new(search), make(chan table.Position, 100)}
	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- table.Follow(following, rdb, cityTable(), index) }()

	lagos := City{ID: 5, Name: "Lagos", People: 15_388_000}
	for _, do := range []func() error{
		func() error { return cities.Put(ctx, lima, rome) },
		func() error { return cities.ScratchPut(ctx, lagos) },
		func() error { return cities.ScratchMerge(ctx) },
	} {
		if err := do(); err != nil {
			fmt.Println(err)
			return
		}
		index.await(cities.Position())
		fmt.Println(index.find("L"))
	}
	stop()
	fmt.Println("ended:", errors.Is(<-ended, context.Canceled))
	// Output:
	// [Lima]
	// [Lima]
	// [Lagos Lima]
	// ended: true
}
