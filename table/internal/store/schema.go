package store

import (
	"context"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

func mismatch(c *wire.Client, differences []string) error {
	return &wire.SchemaError{Table: c.Keys.Table, Differences: differences}
}

// Judge compares the scores of rows in an index with those that the definition computes, and says how they differ; empty: they do
// not.
type Judge func(index int, rows scripts.SampledRows) string

// compareScores reads a sample of each index and lets how.Judge compare it. If the table does not exist or is damaged, it returns nil,
// and the claim finds that out. Each sample is of one moment. What an earlier owner writes between the sample and the claim is not
// compared.
func compareScores(ctx context.Context, c *wire.Client, how Claim) error {
	var differences []string
	for _, index := range how.Sampled {
		a, err := takeSample(ctx, c, how, index)
		switch {
		case err != nil:
			return wire.LostToForeignType(err)
		case a.Status == wire.StatusSchema:
			return mismatch(c, layout.Differences(a.Last, how.Schema))
		case a.Status != wire.StatusOK:
			return nil
		}
		rows, err := scripts.ReadSample(&a)
		if err != nil {
			return err
		}
		if differs := how.Judge(index, rows); differs != "" {
			differences = append(differences, differs)
		}
	}
	if len(differences) > 0 {
		return mismatch(c, differences)
	}
	return nil
}

// sampleSizes are tried one after another where the server closes the connection, as it does when it must send more than its
// limit. The last has no rows: it tells such a server from one that cannot be had.
var sampleSizes = []scripts.SampleSize{{Rows: 100, Bytes: 4 << 20}, {Rows: 100, Bytes: 256 << 10}, {Rows: 100, Bytes: 1}, {}}

// takeSample brings a sample of an index, a smaller one where the server cannot send so much.
func takeSample(ctx context.Context, c *wire.Client, how Claim, index int) (a wire.Answer, err error) {
	for _, size := range sampleSizes {
		a, err = c.RunRaw(ctx, scripts.Sample(c, how.Schema.Text(), index, size))
		if !wire.WasClosed(err) {
			if err == nil && size.Rows == 0 {
				how.Preflight.Logger.Warn("the server cannot send a row: scores are not compared", zap.String("table", c.Keys.Table))
			}
			return a, err
		}
	}
	return a, err
}
