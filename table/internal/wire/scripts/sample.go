package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var sample = define(wire.MayRead, reading, "sample")

const (
	sampledRows  = 100     // as many, but no more than what first reaches sampledBytes
	sampledBytes = 4 << 20 // on average 40 KiB for each
)

// Sample asks for rows that are spread over an index, of a table that is not claimed yet, if it has this schema. While a merge is
// being folded they are as many of the staged rows, and as many of those below.
func Sample(c *wire.Client, schema string, index int) []any {
	return append(c.Call(sample, 4), schema, index+1, sampledRows, sampledBytes)
}

// SampledRows are rows with their keys and scores.
type SampledRows struct{ Keys, Rows, Scores [][]byte }

// ReadSample returns them.
func ReadSample(a *wire.Answer) (SampledRows, error) {
	s := SampledRows{Keys: a.Rest.Texts(), Rows: a.Rest.Texts(), Scores: a.Rest.Texts()}
	if len(s.Rows) != len(s.Keys) || len(s.Scores) != len(s.Keys) {
		a.Rest.Fail()
	}
	return s, a.Rest.Err()
}
