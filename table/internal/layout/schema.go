package layout

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
)

// Version is the version of the layout: of rows, keys and the truth. Version 3 added the versions of indexes to the schema, and the
// fields owner and layout to the truth; version 4 the feed, and the fields line, burned and burns; version 5 the note, the fold's place, and
// the states of a reload of everything.
const Version = 5

// Schema is a definition as it is kept in the truth. It is stored as JSON, so that a reset can read the names of the indexes that
// another definition had.
type Schema struct {
	Layout     int         `json:"layout"`
	Key        string      `json:"key"`
	Attributes [][2]string `json:"attributes"` // name and codec of each
	Indexes    []Index     `json:"indexes"`
}

// Index is an index as a schema names it.
type Index struct {
	Name    string `json:"name"`
	Version int    `json:"version"` // of its score function
}

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
