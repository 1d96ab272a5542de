package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Definition says what a table is: its name in Redis, how a record R is keyed, which of its
// attributes are stored, and by which scores it is found. Only the attributes named here come
// back from a read; list the primary key's fields among them if they should.
type Definition[R any, K comparable] struct {
	Name       string // 1..128 of [A-Za-z0-9_.:-] and at most one {tag}; the prefix of its keys
	PrimaryKey PrimaryKey[R, K]
	Attributes []Attribute[R] // at least one, names unique
	Indexes    []Index[R]     // at least one, names unique
}

// PrimaryKey tells the key of a record; see Key.
type PrimaryKey[R any, K comparable] struct {
	of     func(*R) K
	kind   string
	append func(dst []byte, k K) ([]byte, error)
	decode func(src []byte) (K, error)
}

// Key returns the primary key that of reads from a record. of must be pure and safe for
// concurrent use. For a key of several columns use codec.Struct.
func Key[R any, K comparable](c codec.Codec[K], of func(*R) K) PrimaryKey[R, K] {
	if c == nil || of == nil {
		return PrimaryKey[R, K]{}
	}
	return PrimaryKey[R, K]{of: of, kind: kindOf(c), append: codec.Appender(c), decode: c.Decode}
}

// Attribute is a named, typed part of a record R; see Field, Attr and MapField.
type Attribute[R any] struct {
	name   string
	kind   string
	append func(dst []byte, r *R) ([]byte, error) // nil: of a column that the definition does not have
	decode func(src []byte, r *R) error
	absent func(r *R) error // sets what is absent; nil: a fresh record has it
	column
	keeps bool // the decoded value shares memory with src

	hasCodec bool // tells, of an attribute without append and decode, that not its codec but its function is missing
}

// column says of an attribute how it is in rows: see Definition.under.
type column struct {
	late    bool // a row may end in front of it
	sparse  bool // it may be absent
	nowhere bool // no row has it
}

// Field returns an attribute stored in the struct field that at points to. at must be pure and
// safe for concurrent use; it is called for every record written and read.
func Field[R, V any](name string, c codec.Codec[V], at func(*R) *V) Attribute[R] {
	if c == nil || at == nil {
		return Attribute[R]{name: name, hasCodec: c != nil}
	}
	encode := codec.Appender(c)
	decode, keeps := decoding(c)
	return Attribute[R]{
		name:   name,
		kind:   kindOf(c),
		append: func(dst []byte, r *R) ([]byte, error) { return encode(dst, *at(r)) },
		decode: func(src []byte, r *R) (err error) {
			*at(r), err = decode(src)
			return err
		},
		keeps: keeps,
	}
}

// Attr returns an attribute that get computes from a record and set puts back into one: of a row that does not have the attribute,
// since it was written before there was one, set puts back the zero value. An error of either ends the call, wrapped in a *CodingError, which tells the type of that error and not its text.
func Attr[R, V any](name string, c codec.Codec[V], get func(*R) (V, error), set func(*R, V) error) Attribute[R] {
	if c == nil || get == nil || set == nil {
		return Attribute[R]{name: name, hasCodec: c != nil}
	}
	encode := codec.Appender(c)
	decode, keeps := decoding(c)
	return Attribute[R]{
		name: name,
		kind: kindOf(c),
		append: func(dst []byte, r *R) ([]byte, error) {
			v, err := get(r)
			if err != nil {
				return dst, err
			}
			return encode(dst, v)
		},
		decode: func(src []byte, r *R) error {
			v, err := decode(src)
			if err != nil {
				return err
			}
			return set(r, v)
		},
		absent: func(r *R) error {
			var zero V
			return set(r, zero)
		},
		keeps: keeps,
	}
}

// decoding returns the function that decodes a part of a row, and whether its value shares the row's memory.
func decoding[V any](c codec.Codec[V]) (decode func([]byte) (V, error), keeps bool) {
	if k, ok := c.(codec.Keeper[V]); ok {
		return k.DecodeKept, true
	}
	return c.Decode, false
}

// MapField returns an attribute kept in a map under its name. A map without it is refused with
// ErrMissingAttribute, a value that is no V with codec.ErrValue; other entries are ignored.
func MapField[V any](name string, c codec.Codec[V]) Attribute[map[string]any] {
	type record = map[string]any
	get := func(r *record) (v V, err error) {
		a, ok := (*r)[name]
		if !ok {
			return v, ErrMissingAttribute
		}
		v, ok = a.(V)
		if !ok {
			return v, fmt.Errorf("%w: a %T where a %T belongs", codec.ErrValue, a, v)
		}
		return v, nil
	}
	set := func(r *record, v V) error {
		if *r == nil {
			*r = make(record)
		}
		(*r)[name] = v
		return nil
	}
	return Attr(name, c, get, set)
}

// Index is a named function from record to score; see By.
type Index[R any] struct {
	name     string
	score    func(*R) float64
	version  int
	unstored bool // the score needs what is not stored
	foreign  bool // the definition does not have it: see Definition.under
}

// By returns an index by score, which must be pure, safe for concurrent use, and never NaN
// (a record with a NaN score is refused). Scores need not be unique. Open compares the scores of
// some records, as they come back from Redis, with those that are stored; see Unstored.
func By[R any](name string, score func(*R) float64) Index[R] {
	return Index[R]{name: name, score: score}
}

// Version returns the index with the version n of its score function. The version is part of the schema; it is 0 unless it
// is set. Change it whenever the function changes: then Open builds the index anew, from the rows that there are.
func (x Index[R]) Version(n int) Index[R] {
	x.version = n
	return x
}

// Unstored returns the index, marked as one whose score cannot be computed from what is stored: it needs a field
// that is no attribute, or a value that its codec rounds, as UTCDatetime does. Open and Verify do not compare the
// scores of such an index, and Repair cannot make an entry that is missing in it. Where such an index is new in a table that has
// records, it cannot be built: reads by it say ErrIndexBuilding until everything is loaded anew (ScratchDiscard of everything, and
// ScratchPut).
func (x Index[R]) Unstored() Index[R] {
	x.unstored = true
	return x
}

func kindOf(c any) string {
	if s, ok := c.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", c)
}

// keepsRows tells whether records share the memory of their rows.
func (d *Definition[R, K]) keepsRows() bool {
	return slices.ContainsFunc(d.Attributes, func(a Attribute[R]) bool { return a.keeps })
}

func (d *Definition[R, K]) validate() error {
	problems := slices.Concat(wrongTableName(d.Name), d.PrimaryKey.wrong(), wrongAttributes(d.Attributes), wrongIndexes(d.Indexes))
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalidDefinition, strings.Join(problems, "; "))
}

// wrongTableName says what is wrong with a table's name; see layout.WrongTableName.
func wrongTableName(s string) []string {
	if wrong := layout.WrongTableName(s); wrong != "" {
		return []string{"table name: " + wrong}
	}
	return nil
}

func (k *PrimaryKey[R, K]) wrong() (problems []string) {
	if k.append == nil {
		problems = append(problems, "primary key: no codec")
	}
	if k.of == nil {
		problems = append(problems, "primary key: no function")
	}
	return problems
}

func wrongAttributes[R any](attributes []Attribute[R]) []string {
	names := make(map[string]bool)
	problems := wrongNumber("attribute", len(attributes))
	for _, a := range attributes {
		if wrong := a.wrong(names); wrong != "" {
			problems = append(problems, fmt.Sprintf("attribute %q: %s", a.name, wrong))
		}
		names[a.name] = true
	}
	return problems
}

// wrong says what an attribute lacks, or that its name is among names already. It is empty if nothing is wrong.
func (a *Attribute[R]) wrong(names map[string]bool) string {
	switch {
	case a.name == "":
		return "no name"
	case names[a.name]:
		return "there twice"
	case a.append != nil && a.decode != nil:
		return ""
	case a.hasCodec:
		return "no function"
	}
	return "no codec"
}

func wrongIndexes[R any](indexes []Index[R]) []string {
	names := make(map[string]bool)
	problems := wrongNumber("index", len(indexes))
	for _, x := range indexes {
		if wrong := x.wrong(names); wrong != "" {
			problems = append(problems, fmt.Sprintf("index %q: %s", x.name, wrong))
		}
		names[x.name] = true
	}
	return problems
}

// wrong says what an index lacks, or that its name is among names already. It is empty if nothing is wrong.
func (x *Index[R]) wrong(names map[string]bool) string {
	switch {
	case x.name == "":
		return "no name"
	case !layout.IsIndexName(x.name):
		return "its name is not 1 to 64 of A-Z, a-z, 0-9, _, . and -"
	case names[x.name]:
		return "there twice"
	case x.score == nil:
		return "no function"
	}
	return ""
}

func wrongNumber(what string, n int) []string {
	switch {
	case n == 0:
		return []string{"no " + what}
	case n > maxParts:
		return []string{fmt.Sprintf("%d times %s, at most %d", n, what, maxParts)}
	}
	return nil
}

// maxParts bounds the number of attributes, and that of indexes: a script takes two keys for each index.
const maxParts = 256
