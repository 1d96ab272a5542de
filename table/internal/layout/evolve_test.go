package layout

import (
	"reflect"
	"slices"
	"testing"
)

func columns(names ...string) (all []Column) {
	for _, name := range names {
		c := Column{Name: name, Codec: "int64"}
		for ; name[0] < 'a'; name = name[1:] {
			c.Name, c.Dropped, c.Late, c.Sparse = name[1:], c.Dropped || name[0] == '-', c.Late || name[0] == '+', c.Sparse || name[0] == '?'
		}
		all = append(all, c)
	}
	return all
}

func indexes(names ...string) (all []Index) {
	for _, name := range names {
		all = append(all, Index{Name: name[:1], Version: len(name) - 1, Unstored: name[len(name)-1] == '?'})
	}
	return all
}

func namesOf(all []Index) (names []string) {
	for _, x := range all {
		names = append(names, x.Name)
	}
	return names
}

// What becomes of columns: they stay where they are, and what is new comes behind them.
func TestS1_ColumnsKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stored, want []Column
		how          Dropping
		to           []Column
	}{
		{columns("a", "b"), columns("b", "a"), Drop, columns("a", "b")},
		{columns("a", "b"), columns("c", "d", "b"), Keep, columns("?a", "b", "+c", "d")},
		{columns("a", "b"), columns("c", "b"), Drop, columns("-a", "b", "+c")},
		{columns("-a", "b"), columns("a", "b"), Keep, columns("-a", "b", "+a")},
		{columns("-a", "b", "+a"), columns("b"), Drop, columns("-a", "b", "-+a")},
		{columns("a", "?b"), columns("a"), Keep, columns("a", "?b")},
		{columns("a", "?b"), columns("a", "b"), Drop, columns("a", "?b")},
	} {
		from := Schema{Layout: Version, Key: "k", Columns: c.stored, Indexes: indexes("x")}
		e, err := Evolve(Stored{Text: from.Text()}, Schema{Key: "k", Columns: c.want, Indexes: indexes("x")}, c.how)
		if err != nil || !slices.Equal(e.To.Columns, c.to) || e.Moves() {
			t.Errorf("%v under %v: %v %v, moves %t; want %v", c.stored, c.want, e.To.Columns, err, e.Moves(), c.to)
		}
		back, err := ParseSchema(e.To.Text())
		if err != nil || !reflect.DeepEqual(back, e.To) {
			t.Errorf("%v is read back as %v, %v", e.To, back, err)
		}
	}
}

// What becomes of indexes: complete ones come first, those that cannot be built last; nobody knows whether what an owner did not maintain
// is still right.
func TestS2_IndexesThatAreNewComeLast(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		stored   []string
		half     int
		idle     []string
		want     []string
		how      Dropping
		to       []string
		building int
		empties  []string
		idleTo   []string
		dropped  []string
	}{
		"the same":          {stored: []string{"x", "y"}, want: []string{"y", "x"}, to: []string{"x", "y"}},
		"more":              {stored: []string{"x"}, want: []string{"a", "x"}, to: []string{"x", "a"}, building: 1, empties: []string{"a"}},
		"going on":          {stored: []string{"x", "a"}, half: 1, want: []string{"a", "x"}, to: []string{"x", "a"}, building: 1},
		"more while":        {stored: []string{"x", "a"}, half: 1, want: []string{"b", "a", "x"}, to: []string{"x", "a", "b"}, building: 2, empties: []string{"b"}},
		"unstored":          {stored: []string{"x", "a"}, half: 1, want: []string{"b??", "a", "x"}, to: []string{"x", "a", "b"}, building: 2, empties: []string{"b"}},
		"unstored last":     {stored: []string{"x"}, want: []string{"b??", "a", "x"}, to: []string{"x", "a", "b"}, building: 2, empties: []string{"a", "b"}},
		"another version":   {stored: []string{"x", "y"}, want: []string{"x1", "y"}, to: []string{"y", "x"}, building: 1, empties: []string{"x"}},
		"unknown":           {stored: []string{"x", "y"}, want: []string{"y"}, to: []string{"y"}, empties: []string{"x"}, idleTo: []string{"x"}},
		"still unknown":     {stored: []string{"y"}, idle: []string{"x"}, want: []string{"y"}, to: []string{"y"}, idleTo: []string{"x"}},
		"known again":       {stored: []string{"y"}, idle: []string{"x"}, want: []string{"x", "y"}, to: []string{"y", "x"}, building: 1, empties: []string{"x"}},
		"dropped":           {stored: []string{"x", "y"}, want: []string{"y"}, how: Drop, to: []string{"y"}, empties: []string{"x"}, dropped: []string{"x"}},
		"dropped when idle": {stored: []string{"y"}, idle: []string{"x"}, want: []string{"y"}, how: Drop, to: []string{"y"}, dropped: []string{"x"}},
		"none stays":        {stored: []string{"x"}, want: []string{"y"}, to: []string{"y"}, building: 1, empties: []string{"x", "y"}, idleTo: []string{"x"}},
	} {
		from := Schema{Layout: Version, Key: "k", Columns: columns("a"), Indexes: indexes(c.stored...), Idle: c.idle}
		e, err := Evolve(Stored{from.Text(), c.half}, Schema{Key: "k", Columns: columns("a"), Indexes: indexes(c.want...)}, c.how)
		if err != nil || !slices.Equal(namesOf(e.To.Indexes), c.to) || e.Building != c.building || !slices.Equal(e.Empties, c.empties) ||
			!slices.Equal(e.To.Idle, c.idleTo) || !slices.Equal(e.To.Dropped, c.dropped) {
			t.Errorf("%s: %+v, %v", what, e, err)
		}
	}
}

// A schema of version 5 is read as it is, and written anew.
func TestS1_Version5IsRead(t *testing.T) {
	t.Parallel()
	const five = `{"layout":5,"key":"int64","attributes":[["a","int64"],["b","string"],["c","bool"]],"indexes":[{"name":"at","version":0},{"name":"rank","version":2}]}`
	if d := Differences(five, wanted()); len(d) > 0 {
		t.Error(d)
	}
	e, err := Evolve(Stored{Text: five}, wanted(), Keep)
	if err != nil || e.Moves() || e.To.Text() != wanted().Text() {
		t.Errorf("%+v, %v", e, err)
	}
}

// What is absent is told from what is empty, and a row of version 5 has nothing absent.
func TestS1_AbsentIsNotEmpty(t *testing.T) {
	t.Parallel()
	rest, is := CutAbsent(append(AppendAbsent(nil), 1, 'x'))
	if !is || string(rest) != "\x01x" {
		t.Errorf("got %q, %t", rest, is)
	}
	for _, framed := range []string{"\x01x", "\x00", ""} {
		if rest, is = CutAbsent([]byte(framed)); is || string(rest) != framed {
			t.Errorf("%q is taken for what is absent", framed)
		}
	}
}
