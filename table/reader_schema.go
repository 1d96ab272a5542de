package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// mostSchemas is how often in a row a read begins again because the table has another schema by then.
const mostSchemas = 16

// handleUnder returns the handle that reads rows of a schema.
func (r *Reader[R, K]) handleUnder(reader *scan.Reader, s layout.Schema) *handle[R, K] {
	return &handle[R, K]{base: &base{name: r.base.name, reader: reader, indexes: s.Names()}, coder: r.def.coderUnder(s), buffer: r.buffer}
}

// read calls f with a handle that reads rows as they are written now: again, where these have another schema. f must have told its caller
// nothing by then.
func (r *Reader[R, K]) read(ctx context.Context, f func(*handle[R, K]) error) error {
	for range mostSchemas {
		h := r.now.Load()
		err := f(h)
		if errors.As(err, new(missingError)) { // it may be there by now
			if proof := h.reader.Prove(ctx); proof != nil {
				err = h.errorf("read", proof)
			}
		}
		moved, is := movedBy(err)
		if !is {
			return err
		}
		if err := r.follow(h, moved); err != nil {
			return r.base.errorf("read", err)
		}
		if err := r.base.reader.Alive(ctx); err != nil {
			return r.base.errorf("read", err)
		}
	}
	return r.base.errorf("read", errSchemaUnsettled)
}

var errSchemaUnsettled = fmt.Errorf("%w: it changes again and again", ErrSchemaMismatch)

// movedBy returns the schema that is stored, if err says that it is another one.
func movedBy(err error) (stored string, moved bool) {
	var m *wire.MovedError
	if !errors.As(err, &m) {
		return "", false
	}
	return m.Stored, true
}

// follow has later reads read rows of the stored schema. of is the handle that has found another one.
func (r *Reader[R, K]) follow(of *handle[R, K], stored string) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	if r.now.Load() != of {
		return nil // somebody else was faster
	}
	if differences := layout.Differences(stored, r.def.schema()); len(differences) > 0 {
		return &SchemaError{Table: r.base.name, Differences: differences}
	}
	s, err := wire.ReadableSchema(r.base.name, stored)
	if err != nil {
		return err
	}
	r.now.Store(r.handleUnder(of.reader.On(s.Names(), stored), s))
	return nil
}
