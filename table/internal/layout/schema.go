package layout

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
)

// Version is the version of the layout: of rows, keys and the truth. Version 3 added the versions of indexes to the schema, and the
// fields owner and layout to the truth; version 4 the feed, and the fields line, burned and burns; version 5 the note, the fold's place, and
// the states of a reload of everything; version 6 columns that are absent, dropped and added, and indexes that are built. Its rows and its
// truth are those of version 5 where none of that has happened, so a claim makes a table of version 5 one of version 6.
const Version = 6

// earliest is the first version that this one reads.
const earliest = 5

// Schema says how rows are written, and by which indexes they are found. It is stored in the truth as JSON, so that a later owner can
// read how the rows of an earlier one are written, and which keys it has.
type Schema struct {
	Layout  int      `json:"layout"`
	Key     string   `json:"key"`
	Columns []Column `json:"attributes"`        // in the order in which rows have them
	Indexes []Index  `json:"indexes"`           // which the owner maintains, in the order of their keys; those that are being built come last
	Idle    []string `json:"idle,omitempty"`    // indexes which the owner does not know; they have no keys
	Dropped []string `json:"dropped,omitempty"` // indexes that there were, for those who still ask for them
}

// Column is the place of an attribute in rows. Once it is there it stays.
type Column struct {
	Name, Codec string
	Dropped     bool // nobody reads it any more; an attribute that is added under this name has another column
	Late        bool // it was added to a table: rows of before end in front of it
	Sparse      bool // there was an owner who did not know it, and whose rows are without
}

// The words for what is true of a column, in the order in which they are written.
const (
	isDropped = "dropped"
	isLate    = "late"
	isSparse  = "sparse"
)

// MarshalJSON writes a column as name and codec, and behind them words for what is true of it.
func (c Column) MarshalJSON() ([]byte, error) {
	parts := []string{c.Name, c.Codec}
	for _, p := range []struct {
		word string
		is   bool
	}{{isDropped, c.Dropped}, {isLate, c.Late}, {isSparse, c.Sparse}} {
		if p.is {
			parts = append(parts, p.word)
		}
	}
	return json.Marshal(parts)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (c *Column) UnmarshalJSON(text []byte) error {
	var parts []string
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	if len(parts) < 2 {
		return fmt.Errorf("a column of %d parts", len(parts))
	}
	*c = Column{Name: parts[0], Codec: parts[1]}
	for _, word := range parts[2:] {
		switch word {
		case isDropped:
			c.Dropped = true
		case isLate:
			c.Late = true
		case isSparse:
			c.Sparse = true
		default:
			return fmt.Errorf("a column that is %q", word)
		}
	}
	return nil
}

// Index is an index as a schema names it.
type Index struct {
	Name     string `json:"name"`
	Version  int    `json:"version"` // of its score function
	Unstored bool   `json:"-"`       // of a definition: its score cannot be computed from rows
}

// is tells whether two indexes have the same entries.
func (x Index) is(o Index) bool { return x.Name == o.Name && x.Version == o.Version }

// UnmarshalJSON also reads an index of layouts before version 3, which stored only the name.
func (x *Index) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &x.Name) == nil {
		return nil
	}
	type withoutMethods Index
	return json.Unmarshal(text, (*withoutMethods)(x))
}

// Text returns the schema as it is stored.
func (s Schema) Text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(b)
}

// ParseSchema reads the text of a schema.
func ParseSchema(text string) (s Schema, err error) {
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Schema{}, fmt.Errorf("the stored schema cannot be read: %w", err)
	}
	return s, nil
}

// Proof returns the value of the truth's field layout: a hash of the schema, in decimal text, which fits an int64. Only the claim
// of an owner changes the field, together with the epoch. Rows of a table whose field has another value were written under another
// definition, and are never decoded.
func Proof(schema string) string {
	h := fnv.New64a()
	h.Write([]byte(schema))
	return strconv.FormatUint(h.Sum64()>>1, 10)
}

// Names returns the names of the indexes, in the order of their keys.
func (s Schema) Names() (names []string) {
	for _, x := range s.Indexes {
		names = append(names, x.Name)
	}
	return names
}

// Find returns the place of an index among those of the schema; -1: it has none of this name and version.
func (s Schema) Find(x Index) int { return slices.IndexFunc(s.Indexes, x.is) }

// IsDropped tells whether there was an index of this name, which was dropped.
func (s Schema) IsDropped(index string) bool { return slices.Contains(s.Dropped, index) }

// IndexesIn returns the names of the indexes in a stored schema; none if the schema cannot be read.
func IndexesIn(text string) []string {
	var s Schema
	if json.Unmarshal([]byte(text), &s) != nil {
		return nil
	}
	var names []string
	for _, x := range s.Indexes {
		if IsIndexName(x.Name) {
			names = append(names, x.Name)
		}
	}
	return names
}
