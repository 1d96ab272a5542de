package table_test

import (
	"errors"
	"math"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// prank is a record that makes the functions of its table fail: those that encode it as Do says, those that decode it by V.
type prank struct {
	ID, V int64
	Do    string // not stored
}

type pranks = table.Table[prank, int64]

// secret is what a failing function says; it must be in no error that comes from a panic.
const secret = "row-bytes-in-a-panic"

var errPrank = errors.New("prank")

// Numbers that the codec of pranks fails on.
const (
	refusedNumber   = 666 // Append: an error
	halfwayNumber   = 667 // Append: an error, after some bytes
	panickingNumber = 668 // Append: a panic
	unreadable      = 700 // Decode: an error
	unreadablePanic = 701 // Decode: a panic
	unsettable      = 702 // the attribute's set: an error
	unsettablePanic = 703 // the attribute's set: a panic
)

// prankCodec is a user's own codec. It is no fmt.Stringer.
type prankCodec struct{}

func (prankCodec) Append(dst []byte, v int64) ([]byte, error) {
	switch v {
	case refusedNumber:
		return dst, errPrank
	case halfwayNumber:
		return append(dst, 1, 2, 3), errPrank
	case panickingNumber:
		panic(secret)
	}
	return codec.Int64.Append(dst, v)
}

func (prankCodec) Decode(src []byte) (int64, error) {
	v, err := codec.Int64.Decode(src)
	switch v {
	case unreadable:
		return 0, errPrank
	case unreadablePanic:
		panic(secret)
	}
	return v, err
}

// act does what a record wants of the function that calls it, which has this name.
func (p *prank) act(function string) error {
	switch p.Do {
	case function + " fails":
		return errPrank
	case function + " panics":
		panic(secret)
	}
	return nil
}

func (p *prank) score(index string) float64 {
	_ = p.act(index)
	if p.Do == index+" is NaN" {
		return math.NaN()
	}
	return float64(p.ID)
}

func setPrank(p *prank, v int64) error {
	switch v {
	case unsettable:
		return errPrank
	case unsettablePanic:
		panic(secret)
	}
	p.V = v
	return nil
}

func prankDefinition(name string) table.Definition[prank, int64] {
	return table.Definition[prank, int64]{
		Name:       name,
		PrimaryKey: table.Key(prankCodec{}, func(p *prank) int64 { _ = p.act("key"); return p.ID }),
		Attributes: []table.Attribute[prank]{
			table.Field("id", codec.Int64, func(p *prank) *int64 { _ = p.act("field"); return &p.ID }),
			table.Attr("v", prankCodec{}, func(p *prank) (int64, error) { return p.V, p.act("get") }, setPrank),
		},
		Indexes: []table.Index[prank]{
			table.By("at", func(p *prank) float64 { return p.score("at") }),
			table.By("rank", func(p *prank) float64 { return p.score("rank") }),
		},
	}
}

// openPranks opens a table of pranks on a client whose commands are counted.
func openPranks(t testing.TB) (*pranks, *redis.Client, *counter) {
	t.Helper()
	rdb, sent := counted(t)
	return open(t, rdb, prankDefinition(redistest.Prefix(t)), []string{"at", "rank"}), rdb, sent
}
