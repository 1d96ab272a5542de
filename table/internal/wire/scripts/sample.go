package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var sample = define(wire.MayRead, reading, "sample")

// SampleSize bounds a sample: so many rows, but no more than what first reaches so many bytes.
type SampleSize struct{ Rows, Bytes int }

// Sample reads rows that are spread over an index, if the table has this schema. It is for a table that is not claimed yet. While a
// merge is being folded it reads as many staged rows, and as many merged ones that no staged row hides.
func Sample(c *wire.Client, schema string, index int, size SampleSize) []any {
	return append(c.Call(sample, 4), schema, index+1, size.Rows, size.Bytes)
}

// SampledRows are rows with their keys and scores.
type SampledRows struct{ Keys, Rows, Scores [][]byte }

// ReadSample returns the sampled rows.
func ReadSample(a *wire.Answer) (SampledRows, error) {
	s := SampledRows{Keys: a.Rest.Texts(), Rows: a.Rest.Texts(), Scores: a.Rest.Texts()}
	if len(s.Rows) != len(s.Keys) || len(s.Scores) != len(s.Keys) {
		a.Rest.Fail()
	}
	return s, a.Rest.Err()
}
