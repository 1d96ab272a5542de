package store

import (
	"context"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

func (o *opening) mismatch(differences []string) error {
	return &wire.SchemaError{Table: o.client.Keys.Table, Differences: differences}
}

// Judge compares the scores of rows that are written under a schema in one of its indexes with those that the definition computes, and
// says how they differ; empty: they do not.
type Judge func(s layout.Schema, index int, rows scripts.SampledRows) string

// compareScores reads a sample of each index that stays and lets o.Judge compare it. If there is another schema by now, or none, it plans
// for that. If the table is damaged it returns nil, and the claim finds that out. Each sample is of one moment. What an earlier owner
// writes between the sample and the claim is not compared.
func (o *opening) compareScores(ctx context.Context, stored layout.Stored) error {
	schema, err := layout.ParseSchema(stored.Text)
	if err != nil {
		return err
	}
	var differences []string
	client := o.client.On(schema.Names(), stored.Text)
	for index, x := range schema.Indexes[:max(0, len(schema.Indexes)-stored.Building)] {
		if !isComparable(o.Schema, x) {
			continue
		}
		a, err := o.takeSample(ctx, client, stored, index)
		if err != nil {
			return wire.LostToForeignType(err)
		}
		switch {
		case a.Status == wire.StatusSchema:
			return o.planAnew(ctx, a)
		case a.Status == wire.StatusLost && a.Last == "":
			return o.plan(ctx, layout.Stored{})
		case a.Status != wire.StatusOK:
			return nil
		}
		rows, err := scripts.ReadSample(&a)
		if err != nil {
			return err
		}
		if differs := o.Judge(schema, index, rows); differs != "" {
			differences = append(differences, differs)
		}
	}
	if len(differences) > 0 {
		return o.mismatch(differences)
	}
	return nil
}

// isComparable tells whether a definition has an index, and computes its scores from what is stored.
func isComparable(want layout.Schema, x layout.Index) bool {
	at := want.Find(x)
	return at >= 0 && !want.Indexes[at].Unstored
}

// sampleSizes are tried one after another where the server closes the connection, as it does when it must send more than its
// limit. The last has no rows: it tells such a server from one that cannot be had.
var sampleSizes = []scripts.SampleSize{{Rows: 100, Bytes: 4 << 20}, {Rows: 100, Bytes: 256 << 10}, {Rows: 100, Bytes: 1}, {}}

// takeSample brings a sample of an index, a smaller one where the server cannot send so much.
func (o *opening) takeSample(ctx context.Context, c *wire.Client, stored layout.Stored, index int) (a wire.Answer, err error) {
	for _, size := range sampleSizes {
		a, err = c.RunRaw(ctx, scripts.Sample(c, stored.Text, index, size))
		if !wire.WasClosed(err) {
			if err == nil && size.Rows == 0 {
				o.Preflight.Logger.Warn("the server cannot send a row: scores are not compared", zap.String("table", c.Keys.Table))
			}
			return a, err
		}
	}
	return a, err
}
