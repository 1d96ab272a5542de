package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var count = define(wire.MayRead, reading, "count")

// Count counts the rows whose scores lie in intervals of an index.
func Count(c *wire.Client, index int, bounds []layout.Bound) []any {
	args := append(read(c, count, 1+2*len(bounds)), index+1)
	for i := range bounds {
		args = append(args, &bounds[i].Min, &bounds[i].Max)
	}
	return args
}

// ReadCount returns the number. counted is false while a merge is being folded: then rows must be read to be counted.
func ReadCount(a *wire.Answer) (n int, counted bool, err error) {
	n = a.Rest.Integer()
	return n, n >= 0, a.Rest.Err()
}
