package walk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const tombstone = 4 // bytes: a generation and nothing else

// checkCounts compares what T:m has counted with what is there.
func (m *truth) checkCounts(c *content) error {
	live := 0
	for _, row := range c.staged {
		if len(row) != tombstone {
			live++
		}
	}
	return errors.Join(
		same("count", m.count, len(c.rows)),
		same("staged", m.staged, len(c.staged)),
		same("live", m.live, live),
	)
}

func same(field string, counted, there int) error {
	if counted != there {
		return fmt.Errorf("walk: %s is %d in T:m, but there are %d", field, counted, there)
	}
	return nil
}

// checkMerged: every merged row is whole, of a generation that readers see, and once in each index.
func (m *truth) checkMerged(c *content) error {
	var faults tally
	for _, row := range c.rows {
		faults.add(len(row) <= tombstone, "merged row without attributes")
		faults.add(len(row) >= tombstone && generation(row) > m.gen, "merged row of a generation to come")
	}
	for name, entries := range c.index {
		if slices.Contains(m.building, name) {
			faults.compareEntries("index "+name, c.rows, entries, isRow)
			continue
		}
		faults.compare("index "+name, c.rows, entries, isRow)
	}
	return faults.err()
}

func isRow(string) bool { return true }

// checkStaged: staged rows are of the generation that the state asks for, and once in each staged index.
func (m *truth) checkStaged(c *content) error {
	var faults tally
	faults.add(m.state == "clear" && len(c.staged) > 0, "state clear, and something is staged:") // what was written through is no longer staged
	want := uint64(m.gen)
	if m.state == "active" {
		want++
	}
	for _, row := range c.staged {
		faults.add(m.whole && len(row) == tombstone, "tombstone in a whole session")
		faults.add(len(row) < tombstone || uint64(generation(row)) != want, "staged row of a wrong generation")
	}
	for name, entries := range c.shadow {
		faults.compare("staged index "+name, c.staged, entries, func(row string) bool { return len(row) != tombstone })
	}
	return faults.err()
}

func generation(row string) uint32 { return binary.BigEndian.Uint32([]byte(row[:tombstone])) }

// tally counts faults by their kind.
type tally map[string]int

func (f *tally) add(is bool, fault string) {
	if !is {
		return
	}
	if *f == nil {
		*f = make(tally)
	}
	(*f)[fault]++
}

// compare finds rows that belong into an index and are not, and entries without such a row.
func (f *tally) compare(index string, rows map[string]string, entries scores, belongs func(row string) bool) {
	for key, row := range rows {
		_, there := entries[key]
		f.add(!there && belongs(row), "row missing in "+index)
	}
	f.compareEntries(index, rows, entries, belongs)
}

// compareEntries finds entries without a row that belongs into the index.
func (f *tally) compareEntries(index string, rows map[string]string, entries scores, belongs func(row string) bool) {
	for key := range entries {
		row, there := rows[key]
		f.add(!there || !belongs(row), "dangling entry in "+index)
	}
}

func (f tally) err() error {
	var errs []error
	for fault, n := range f {
		errs = append(errs, fmt.Errorf("walk: %s %d times", fault, n))
	}
	return errors.Join(errs...)
}
