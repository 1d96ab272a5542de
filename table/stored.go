package table

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// StoredDefinition returns the definition of a table as it is stored, for programs that do not know its records: give it to OpenReader
// or Follow. A record is a map from the names of the attributes to values, which have the type of their codec: an int64 for
// codec.Int64, a *int64 for codec.Nullable(codec.Int64). A key is such a value, too. Where the codec is not one of package codec, or
// is one of a type of its user's (JSON, Text, Struct), the value is a []byte.
//
// What was dropped is not part of it. It fails with ErrNoTable, with ErrSchemaMismatch if another version of this library has written the table, with ErrLost if the stored
// definition cannot be read, and as OpenReader does. It waits for answers until ctx ends.
func StoredDefinition(ctx context.Context, rdb redis.UniversalClient, name string) (Definition[map[string]any, any], error) {
	fail := func(err error) (d Definition[map[string]any, any], _ error) {
		return d, fmt.Errorf("table %s: stored definition: %w", name, err)
	}
	if wrong := layout.WrongTableName(name); wrong != "" {
		return fail(fmt.Errorf("%w: table name: %s", ErrInvalidDefinition, wrong))
	}
	if err := wire.CheckClient(rdb, name); err != nil {
		return fail(err)
	}
	schema, err := wire.StoredSchema(ctx, wire.NewClient(rdb, layout.KeysOf(name, nil), "", nil))
	if err != nil {
		return fail(err)
	}
	return definitionOf(name, schema), nil
}

func definitionOf(name string, s layout.Schema) Definition[map[string]any, any] {
	d := Definition[map[string]any, any]{
		Name:       name,
		PrimaryKey: Key(codecNamed(s.Key), func(*map[string]any) any { return nil }), // only writers need the function
	}
	for _, c := range s.Columns {
		if !c.Dropped {
			d.Attributes = append(d.Attributes, MapField(c.Name, codecNamed(c.Codec)))
		}
	}
	for _, x := range s.Indexes {
		d.Indexes = append(d.Indexes, By[map[string]any](x.Name, nil).Version(x.Version))
	}
	return d
}

// codecNamed returns a codec of ours, or one of bytes that has the name.
func codecNamed(name string) codec.Codec[any] {
	if c, ok := codec.Named(name); ok {
		return c
	}
	return unknownCodec(name)
}

// unknownCodec stands for a codec of which only the name is known. Its values are bytes.
type unknownCodec string

// String returns the name.
func (c unknownCodec) String() string { return string(c) }

// Append appends v, which must be a []byte.
func (c unknownCodec) Append(dst []byte, v any) ([]byte, error) {
	b, ok := v.([]byte)
	if !ok {
		return dst, fmt.Errorf("%w: a %T where bytes belong", codec.ErrValue, v)
	}
	return append(dst, b...), nil
}

// Decode returns a copy of src.
func (c unknownCodec) Decode(src []byte) (any, error) { return codec.Bytes.Decode(src) }
