package layout

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
)

// Version of the layout: of rows, keys and the truth. In version 3 the schema tells the versions of indexes, and the truth has its
// owner's name and the field layout.
const Version = 3

// Schema is the fingerprint of a definition, kept in the truth. It is JSON so that a table can be reset even when its indexes
// were other ones.
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

// UnmarshalJSON also reads an index as layouts before version 3 name it, by its name alone.
func (x *Index) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &x.Name) == nil {
		return nil
	}
	type plain Index
	return json.Unmarshal(text, (*plain)(x))
}

// Text returns the schema as it is stored.
func (s Schema) Text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(b)
}

// Proof returns what stands in the truth's field layout under a schema, in decimal text: a hash of it. Only the claim of an owner
// changes it, together with the epoch. An answer that brings another one was written under another definition, and is never
// decoded. It fits an int64.
func Proof(schema string) string {
	h := fnv.New64a()
	h.Write([]byte(schema))
	return strconv.FormatUint(h.Sum64()>>1, 10)
}

// IndexesIn returns the index names in a stored schema, or none when it cannot be read.
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
