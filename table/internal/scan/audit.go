package scan

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// mostAudited is how many rows or entries one step of an audit reads at most.
const mostAudited = 200

// AuditRows calls each with all rows of a part, in steps. Each step is of one moment. A row may come twice. AuditRows also works on a
// table of which something is missing, and so do the other audits.
func (r *Reader) AuditRows(ctx context.Context, p scripts.Part, each func(engine.View, scripts.AuditedRows) error) error {
	for at := (scripts.AuditAt{Cursor: "0"}); ; {
		a, err := r.auditStep(ctx, p, 0, at)
		if err != nil {
			return err
		}
		rows, err := scripts.ReadAuditedRows(&a)
		if err != nil {
			return err
		}
		for _, row := range rows.Rows {
			r.rows.Learn(len(row), 1)
		}
		if err := each(a.View, rows); err != nil {
			return err
		}
		if at = rows.Next; at.Cursor == "0" {
			return nil
		}
	}
}

// AuditEntries calls each with the keys of those entries of an index that have no row.
func (r *Reader) AuditEntries(ctx context.Context, p scripts.Part, index int, each func(orphans [][]byte) error) error {
	for at := (scripts.AuditAt{}); ; {
		a, err := r.auditStep(ctx, p, index, at)
		if err != nil {
			return err
		}
		next, orphans, err := scripts.ReadOrphans(&a)
		if err == nil {
			err = each(orphans)
		}
		if at = next; err != nil || at.Cursor == "" {
			return err
		}
	}
}

// AuditCounts returns the counts in the truth, and what there is.
func (r *Reader) AuditCounts(ctx context.Context) (scripts.AuditedCounts, error) {
	a, err := r.auditStep(ctx, scripts.Counts, 0, scripts.AuditAt{})
	if err != nil {
		return scripts.AuditedCounts{}, err
	}
	return scripts.ReadAuditedCounts(&a)
}

func (r *Reader) auditStep(ctx context.Context, p scripts.Part, index int, at scripts.AuditAt) (wire.Answer, error) {
	for n := r.rowsToAudit(); ; n = 1 {
		a, err := r.runOwnerScript(ctx, scripts.Audit(r.client, r.authority.Epoch(), p, index, at, n))
		if n == 1 || !errors.Is(err, wire.ErrTooLarge) {
			return a, err
		}
		r.narrow()
	}
}

// rowsToAudit is how many rows a step brings here.
func (r *Reader) rowsToAudit() int {
	return min(max(int(r.pageBytes.Load())/r.rows.Guess(), 1), mostAudited)
}

// AuditFeed tells whether the feed, if there is one, ends with the table's number.
func (r *Reader) AuditFeed(ctx context.Context) (inStep bool, err error) {
	a, err := r.auditStep(ctx, scripts.Feed, 0, scripts.AuditAt{})
	if err != nil {
		return false, err
	}
	return scripts.ReadAuditedFeed(&a)
}

// RepairLost mends one thing of a table that its owner has found lost, if it still is as an audit has read it, and tells whether it
// was mended. ErrLost: the table has gone back, and nothing can be mended under its owner's name.
func (r *Reader) RepairLost(ctx context.Context, d engine.Damage) (mended bool, err error) {
	a, err := r.runOwnerScript(ctx, scripts.RepairLost(r.client, r.authority.Position(), &d))
	return err == nil && a.Status == wire.StatusOK, err
}
