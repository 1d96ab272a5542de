package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	gomemdb "github.com/hashicorp/go-memdb"

	"github.com/tablecache-go/tablecache/table"
)

// sorted holds records in the order of departure, as one would by hand: exact only as long as nobody writes.
type sorted struct {
	mu      sync.RWMutex // guards records
	records []record
}

func newSorted(records []record) *sorted {
	s := &sorted{records: slices.Clone(records)}
	slices.SortFunc(s.records, func(a, b record) int { return cmp.Compare(departure(&a), departure(&b)) })
	return s
}

// between visits the records of an interval and returns how many there are.
func (s *sorted) between(in table.Interval) (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at, _ := slices.BinarySearchFunc(s.records, in.GE, func(r record, score float64) int { return cmp.Compare(departure(&r), score) })
	for ; at < len(s.records); at++ {
		r := s.records[at]
		if !in.Contains(departure(&r)) {
			break
		}
		if r.ID >= 0 {
			n++
		}
	}
	return n
}

// memdb holds records in go-memdb, by key, departure and price.
type memdb struct{ db *gomemdb.MemDB }

const records = "records"

func newMemdb(all []record) (*memdb, error) {
	index := func(name string, of func(*record) uint64, unique bool) *gomemdb.IndexSchema {
		return &gomemdb.IndexSchema{Name: name, Unique: unique, Indexer: byNumber(of)}
	}
	db, err := gomemdb.NewMemDB(&gomemdb.DBSchema{Tables: map[string]*gomemdb.TableSchema{records: {
		Name: records,
		Indexes: map[string]*gomemdb.IndexSchema{
			"id":        index("id", func(r *record) uint64 { return uint64(r.ID) }, true),
			byDeparture: index(byDeparture, func(r *record) uint64 { return inOrder(departure(r)) }, false),
			byPrice:     index(byPrice, func(r *record) uint64 { return inOrder(price(r)) }, false),
		},
	}}})
	if err != nil {
		return nil, err
	}
	txn := db.Txn(true)
	for i := range all {
		if err := txn.Insert(records, &all[i]); err != nil {
			return nil, err
		}
	}
	txn.Commit()
	return &memdb{db}, nil
}

// byNumber indexes records by a number.
type byNumber func(*record) uint64

// FromObject returns the number of a record.
func (b byNumber) FromObject(o any) (bool, []byte, error) {
	return true, binary.BigEndian.AppendUint64(nil, b(o.(*record))), nil
}

// FromArgs returns the number that is asked for.
func (b byNumber) FromArgs(args ...any) ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, args[0].(uint64)), nil
}

// inOrder returns a number for a score, in the order of scores.
func inOrder(score float64) uint64 {
	if bits := math.Float64bits(score); bits>>63 == 0 {
		return bits | 1<<63
	} else {
		return ^bits
	}
}

// between visits the records of an interval and returns how many there are.
func (m *memdb) between(in table.Interval) (n int, err error) {
	found, err := m.db.Txn(false).LowerBound(records, byDeparture, inOrder(in.GE))
	if err != nil {
		return 0, err
	}
	for o := found.Next(); o != nil; o = found.Next() {
		r := *o.(*record)
		if !in.Contains(departure(&r)) {
			break
		}
		if r.ID >= 0 {
			n++
		}
	}
	return n, nil
}

func (m *memdb) get(id int64) error {
	o, err := m.db.Txn(false).First(records, "id", uint64(id))
	if err != nil {
		return err
	}
	if r := *o.(*record); r.ID != id {
		return fmt.Errorf("record %d instead of %d", r.ID, id)
	}
	return nil
}
