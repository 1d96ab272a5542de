package layout

import "encoding/json"

// Version of the layout: of rows, keys and the truth.
const Version = 2

// Schema is the fingerprint of a definition, kept in the truth. It is JSON so that a table can be reset even when its indexes
// were other ones.
type Schema struct {
	Layout     int         `json:"layout"`
	Key        string      `json:"key"`
	Attributes [][2]string `json:"attributes"` // name and codec of each
	Indexes    []string    `json:"indexes"`
}

// Text returns the schema as it is stored.
func (s Schema) Text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(b)
}

// IndexesIn returns the index names in a stored schema, or none when it cannot be read.
func IndexesIn(text string) []string {
	var s Schema
	if json.Unmarshal([]byte(text), &s) != nil {
		return nil
	}
	var names []string
	for _, name := range s.Indexes {
		if IsIndexName(name) {
			names = append(names, name)
		}
	}
	return names
}
