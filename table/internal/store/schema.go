package store

import (
	"context"
	"errors"
	"strings"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// ErrSchemaMismatch: the table in Redis was written under another definition.
var ErrSchemaMismatch = errors.New("tablecache: table has another schema")

// SchemaError is an ErrSchemaMismatch with every difference that was found, in the order of the definition. It names attributes,
// indexes and codecs, and no part of a record.
type SchemaError struct {
	Table       string
	Differences []string
}

// Error tells all differences.
func (e *SchemaError) Error() string {
	return ErrSchemaMismatch.Error() + ": " + strings.Join(e.Differences, "; ")
}

// Unwrap returns ErrSchemaMismatch.
func (e *SchemaError) Unwrap() error { return ErrSchemaMismatch }

func mismatch(c *wire.Client, differences []string) error {
	return &SchemaError{Table: c.Keys.Table, Differences: differences}
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
		a, err := c.RunRaw(ctx, scripts.Sample(c, how.Schema.Text(), index))
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
