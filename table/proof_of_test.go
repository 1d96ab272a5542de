package table_test

import "github.com/tablecache-go/tablecache/table/internal/layout"

// proofOf returns what the truth's field layout has for a schema.
func proofOf(schema string) string { return layout.Proof(schema) }
