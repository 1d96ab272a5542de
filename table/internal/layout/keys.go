package layout

import (
	"fmt"
	"regexp"
	"strings"
)

// Keys are the names of a table's keys in Redis.
type Keys struct {
	Table  string
	Truth  string   // hash: what is true of the whole table, see truth.go
	Rows   string   // hash: primary key -> merged row
	Staged string   // hash: primary key -> staged row or tombstone
	Feed   string   // stream: one entry for each effect
	Merged []string // sorted sets, one for each index: primary key -> score of the merged row
	Shadow []string // sorted sets, one for each index: primary key -> score of the staged row
	All    []string // all of these, in the order that the scripts expect
}

// KeysOf returns the keys of a table with these indexes.
func KeysOf(table string, indexes []string) Keys {
	k := Keys{Table: table, Truth: table + ":m", Rows: table + ":r", Staged: table + ":s", Feed: table + ":f"}
	for _, name := range indexes {
		k.Merged = append(k.Merged, table+":i:"+name)
		k.Shadow = append(k.Shadow, table+":x:"+name)
	}
	k.All = append([]string{k.Truth, k.Rows, k.Staged, k.Feed}, k.Merged...)
	k.All = append(k.All, k.Shadow...)
	return k
}

var (
	tableName = regexp.MustCompile(`^[A-Za-z0-9_.:-]*(\{[A-Za-z0-9_.:-]+\})?[A-Za-z0-9_.:-]*$`)
	indexName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	hashTag   = regexp.MustCompile(`\{[^}]+\}`)
)

// WrongTableName says why a table must not be called s; it is empty if it may be. With the names that are allowed no two tables
// share a key, and no name makes an ACL pattern match more keys.
func WrongTableName(s string) string {
	switch {
	case s == "":
		return "missing"
	case len(s) > 128:
		return fmt.Sprintf("%d bytes, at most 128", len(s))
	case !tableName.MatchString(s):
		return "only A-Z, a-z, 0-9, _, ., :, - and one {tag} are allowed"
	case strings.Contains(s, ":i:") || strings.Contains(s, ":x:") || strings.HasSuffix(s, ":i") || strings.HasSuffix(s, ":x"):
		return ":i: and :x: are not allowed, nor :i and :x at the end"
	}
	return ""
}

// IsIndexName tells whether an index may be called s.
func IsIndexName(s string) bool { return indexName.MatchString(s) }

// HasTag tells whether a table's name has the {tag} that keeps its keys on one node of a cluster.
func HasTag(table string) bool { return hashTag.MatchString(table) }
