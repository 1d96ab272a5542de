package layout

import "slices"

// Stored is a schema as it is stored, and how many of its last indexes are being built.
type Stored struct {
	Text     string // empty: there is no table
	Building int
}

// Dropping says what becomes of attributes and indexes that a definition does not have.
type Dropping int

// The ways with attributes and indexes that a definition does not have.
const (
	Keep Dropping = iota // columns stay, and rows are written without them; indexes become idle
	Drop
)

// Evolution is what becomes of a stored schema under the definition of a new owner.
type Evolution struct {
	From     Stored
	To       Schema
	Building int      // how many of the last indexes of To are not complete
	Empties  []string // the indexes whose keys go: nobody maintains them, or they are built anew
}

// Moves tells whether other indexes are maintained than before, or some built anew. What is staged under the indexes of before must be
// folded first.
func (e Evolution) Moves() bool { return len(e.Empties) > 0 }

// Fresh returns the schema of a table that a definition begins.
func Fresh(want Schema) Evolution { return Evolution{To: want} }

// Evolve returns what becomes of a stored schema that does not differ from a definition: see Differences. A definition that has the
// same attributes and indexes, in whatever order, changes nothing.
func Evolve(from Stored, want Schema, how Dropping) (Evolution, error) {
	s, err := ParseSchema(from.Text)
	if err != nil {
		return Evolution{}, err
	}
	e := Evolution{From: from, To: Schema{Layout: Version, Key: s.Key, Columns: columnsOf(s.Columns, want.Columns, how)}}
	e.To.Indexes, e.Building, e.Empties = indexesOf(s.Indexes, want.Indexes, from.Building)
	for _, name := range slices.Concat(s.Names(), s.Idle, s.Dropped) {
		switch {
		case hasIndex(want, name):
		case how == Drop || slices.Contains(s.Dropped, name):
			e.To.Dropped = append(e.To.Dropped, name)
		default:
			e.To.Idle = append(e.To.Idle, name)
		}
	}
	slices.Sort(e.To.Idle)
	slices.Sort(e.To.Dropped)
	return e, nil
}

// Unmoved returns an evolution in which only the layout's version may change.
func Unmoved(from Stored) (Evolution, error) {
	s, err := ParseSchema(from.Text)
	s.Layout = Version
	return Evolution{From: from, To: s, Building: from.Building}, err
}

func hasIndex(s Schema, name string) bool {
	return slices.ContainsFunc(s.Indexes, func(x Index) bool { return x.Name == name })
}

// columnsOf returns the stored columns, and behind them those of attributes that are new: the first of these is where older rows end.
func columnsOf(stored, want []Column, how Dropping) (columns []Column) {
	for _, c := range stored {
		if !c.Dropped && !slices.ContainsFunc(want, c.holds) {
			c.Dropped, c.Sparse = how == Drop, c.Sparse || how == Keep
		}
		columns = append(columns, c)
	}
	for _, attribute := range want {
		if !slices.ContainsFunc(columns, func(c Column) bool { return c.holds(attribute) }) {
			attribute.Late = len(columns) == len(stored)
			columns = append(columns, attribute)
		}
	}
	return columns
}

// indexesOf returns the indexes of a definition: those that are complete in the order in which they are stored, then those that are
// being built, of these last those that cannot be built from rows.
func indexesOf(stored, want []Index, unfinished int) (indexes []Index, building int, empties []string) {
	complete := len(stored) - min(unfinished, len(stored))
	var half, fresh []Index
	for i, x := range stored {
		at := slices.IndexFunc(want, x.is)
		switch {
		case at < 0:
			empties = append(empties, x.Name)
		case i < complete:
			indexes = append(indexes, want[at])
		default:
			half = append(half, want[at])
		}
	}
	for _, x := range want {
		if !slices.ContainsFunc(stored, x.is) {
			fresh = append(fresh, x)
			empties = append(empties, x.Name)
		}
	}
	half = append(half, fresh...)
	slices.SortStableFunc(half, func(a, b Index) int { return rankOf(a) - rankOf(b) })
	slices.Sort(empties)
	return append(indexes, half...), len(half), slices.Compact(empties)
}

func rankOf(x Index) int {
	if x.Unstored {
		return 1
	}
	return 0
}
