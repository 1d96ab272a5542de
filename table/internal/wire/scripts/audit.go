package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var audit = define(wire.MayRead, reading, "audit")

// Part is a part of a table, which an audit reads step by step.
type Part string

// The parts of a table.
const (
	Counts        Part = "counts"
	Feed          Part = "feed"
	MergedRows    Part = "rows"
	StagedRows    Part = "staged"
	MergedEntries Part = "merged"
	StagedEntries Part = "shadow"
)

// AuditAt is where an audit goes on. For rows it is the cursor of HSCAN; for entries Cursor is a score, and the audit goes on behind
// that score and member.
type AuditAt struct{ Cursor, Member string }

// Audit reads about n rows or entries of one part. index is the index of entries.
func Audit(c *wire.Client, epoch layout.Epoch, p Part, index int, at AuditAt, n int) []any {
	return append(c.Call(audit, 6), string(epoch), string(p), index+1, at.Cursor, at.Member, n)
}

// AuditedRows are rows with their scores.
type AuditedRows struct {
	Next       AuditAt
	Keys, Rows [][]byte
	Scores     [][][]byte // for each index the score of each row; empty if the row has no entry
	Building   int        // how many of the last indexes are being built: there an entry may be missing
}

// ReadAuditedRows reads the answer for MergedRows and StagedRows. A Next.Cursor of "0" means that there is no more.
func ReadAuditedRows(a *wire.Answer) (AuditedRows, error) {
	r := AuditedRows{Next: AuditAt{Cursor: string(a.Rest.Text())}}
	r.Keys, r.Rows, r.Scores = a.Rest.Texts(), a.Rest.Texts(), a.Rest.Lists()
	r.Building = a.Rest.Integer()
	return r, a.Rest.Err()
}

// ReadOrphans reads the answer for MergedEntries and StagedEntries: the keys of entries without a row. An empty next.Cursor means
// that there is no more.
func ReadOrphans(a *wire.Answer) (next AuditAt, keys [][]byte, err error) {
	next = AuditAt{Cursor: string(a.Rest.Text()), Member: string(a.Rest.Text())}
	keys = a.Rest.Texts()
	return next, keys, a.Rest.Err()
}

// AuditedCounts are the counts in the truth, and what there is.
type AuditedCounts struct {
	Noted   [][]byte // in the truth: merged rows, staged rows, entries of staged rows
	Rows    [][]byte // merged and staged
	Entries [][]byte // of merged rows, in each index
	Staged  [][]byte // entries of staged rows, in each index
}

// ReadAuditedCounts reads the answer for Counts.
func ReadAuditedCounts(a *wire.Answer) (AuditedCounts, error) {
	c := AuditedCounts{Noted: a.Rest.Texts(), Rows: a.Rest.Texts(), Entries: a.Rest.Texts(), Staged: a.Rest.Texts()}
	return c, a.Rest.Err()
}

// ReadAuditedFeed reads the answer for Feed: whether the feed, if there is one, ends with the table's number.
func ReadAuditedFeed(a *wire.Answer) (inStep bool, err error) {
	return string(a.Rest.Text()) == "1", a.Rest.Err()
}
