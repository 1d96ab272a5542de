package table

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// keys are the names in Redis of all that a table keeps there.
type keys struct {
	meta   string   // hash: the table's truth
	rows   string   // hash: primary key -> merged row
	staged string   // hash: primary key -> staged row or tombstone
	merged []string // sorted sets, one for each index: primary key -> score of the merged row
	shadow []string // sorted sets, one for each index: primary key -> score of the staged row
	all    []string // in the order that the scripts expect
}

func newKeys(table string, indexes []string) keys {
	k := keys{meta: table + ":m", rows: table + ":r", staged: table + ":s"}
	for _, name := range indexes {
		k.merged = append(k.merged, table+":i:"+name)
		k.shadow = append(k.shadow, table+":x:"+name)
	}
	k.all = append([]string{k.meta, k.rows, k.staged}, k.merged...)
	k.all = append(k.all, k.shadow...)
	return k
}

var (
	tableName = regexp.MustCompile(`^[A-Za-z0-9_.:-]*(\{[A-Za-z0-9_.:-]+\})?[A-Za-z0-9_.:-]*$`)
	indexName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	hashTag   = regexp.MustCompile(`\{[^}]+\}`)
)

// checkTableName keeps two tables from sharing a key, and a name from widening an ACL pattern.
func checkTableName(s string) error {
	ok := len(s) >= 1 && len(s) <= 128 && tableName.MatchString(s) &&
		!strings.Contains(s, ":i:") && !strings.Contains(s, ":x:") &&
		!strings.HasSuffix(s, ":i") && !strings.HasSuffix(s, ":x")
	if !ok {
		return fmt.Errorf("%w: table name %q", ErrInvalidDefinition, s)
	}
	return nil
}

func checkIndexName(s string) error {
	if !indexName.MatchString(s) {
		return fmt.Errorf("%w: index name %q", ErrInvalidDefinition, s)
	}
	return nil
}

// schema collects the fingerprint of a definition. It is JSON so that a table can be reset
// even when its indexes were other ones.
type schema struct {
	Layout     int         `json:"layout"`
	Key        string      `json:"key"`
	Attributes [][2]string `json:"attributes"`
	Indexes    []string    `json:"indexes"`
}

const layoutVersion = 2

func newSchema(key string) *schema { return &schema{Layout: layoutVersion, Key: key} }

func (s *schema) attribute(name, kind string) {
	s.Attributes = append(s.Attributes, [2]string{name, kind})
}

func (s *schema) index(name string) { s.Indexes = append(s.Indexes, name) }

func (s *schema) text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(b)
}

// indexesIn returns the index names in a stored fingerprint, or none when it cannot be read.
func indexesIn(text string) []string {
	var s schema
	if json.Unmarshal([]byte(text), &s) != nil {
		return nil
	}
	var names []string
	for _, name := range s.Indexes {
		if checkIndexName(name) == nil {
			names = append(names, name)
		}
	}
	return names
}
