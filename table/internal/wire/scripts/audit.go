package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var audit = define(wire.MayRead, reading, "audit")

// Part is what one step of an audit looks at.
type Part string

// The parts of a table.
const (
	Counts        Part = "counts"
	MergedRows    Part = "rows"
	StagedRows    Part = "staged"
	MergedEntries Part = "merged"
	StagedEntries Part = "shadow"
)

// AuditAt is where an audit goes on: behind a cursor of rows, or behind score and member of entries.
type AuditAt struct{ Cursor, Member string }

// Audit looks at about n rows or entries of one part, those of an index where the part has one.
func Audit(c *wire.Client, epoch layout.Epoch, p Part, index int, at AuditAt, n int) []any {
	return append(c.Call(audit, 6), string(epoch), string(p), index+1, at.Cursor, at.Member, n)
}

// AuditedRows are rows with their scores.
type AuditedRows struct {
	Next       AuditAt
	Keys, Rows [][]byte
	Scores     [][][]byte // for each index one of each row; empty where there is none
}

// ReadAuditedRows returns what was found of MergedRows and StagedRows. A Next.Cursor of "0" is the end.
func ReadAuditedRows(a *wire.Answer) (AuditedRows, error) {
	r := AuditedRows{Next: AuditAt{Cursor: string(a.Rest.Text())}}
	r.Keys, r.Rows, r.Scores = a.Rest.Texts(), a.Rest.Texts(), a.Rest.Lists()
	return r, a.Rest.Err()
}

// ReadOrphans returns the keys of entries without a row. An empty next.Cursor is the end.
func ReadOrphans(a *wire.Answer) (next AuditAt, keys [][]byte, err error) {
	next = AuditAt{Cursor: string(a.Rest.Text()), Member: string(a.Rest.Text())}
	keys = a.Rest.Texts()
	return next, keys, a.Rest.Err()
}

// AuditedCounts are what was counted and what there is.
type AuditedCounts struct {
	Noted   [][]byte // merged rows, staged rows, entries of staged rows
	Rows    [][]byte // merged and staged
	Entries [][]byte // of merged rows, in each index
	Staged  [][]byte // entries of staged rows, in each index
}

// ReadAuditedCounts returns what was found of Counts.
func ReadAuditedCounts(a *wire.Answer) (AuditedCounts, error) {
	c := AuditedCounts{Noted: a.Rest.Texts(), Rows: a.Rest.Texts(), Entries: a.Rest.Texts(), Staged: a.Rest.Texts()}
	return c, a.Rest.Err()
}
