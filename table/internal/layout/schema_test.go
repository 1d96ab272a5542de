package layout

import (
	"slices"
	"testing"
)

func wanted() Schema {
	return Schema{Layout: Version, Key: "int64", Columns: []Column{{Name: "a", Codec: "int64"}, {Name: "b", Codec: "string"}, {Name: "c", Codec: "bool"}},
		Indexes: []Index{{Name: "at"}, {Name: "rank", Version: 2}}}
}

// S3: every difference is told, in the same order each time. What S1, S2 and S5 allow is none.
func TestS3_DifferencesAreAllTold(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change func(*Schema)
		want   []string
	}{
		"layout long before": {func(s *Schema) { s.Layout = 4 }, []string{`layout 4, want 6: open with WithReset and load again`}},
		"layout before":      {func(s *Schema) { s.Layout = 5 }, nil},
		"layout to come":     {func(s *Schema) { s.Layout++ }, []string{`layout 7, want 6: a later version of this library has written it`}},
		"key":                {func(s *Schema) { s.Key = "string" }, []string{`key has codec "string", want "int64"`}},
		"attribute codec":    {func(s *Schema) { s.Columns[1].Codec = "bytes" }, []string{`attribute "b" has codec "bytes", want "string"`}},
		"dropped":            {func(s *Schema) { s.Columns[1] = Column{Name: "b", Codec: "bytes", Dropped: true} }, nil},
		"attribute more":     {func(s *Schema) { s.Columns = append(s.Columns, Column{Name: "d", Codec: "bool"}) }, nil},
		"attribute fewer":    {func(s *Schema) { s.Columns = s.Columns[1:] }, nil},
		"attributes moved":   {func(s *Schema) { slices.Reverse(s.Columns) }, nil},
		"index version":      {func(s *Schema) { s.Indexes[1].Version = 1 }, nil},
		"index renamed":      {func(s *Schema) { s.Indexes[1].Name = "x" }, nil},
		"indexes moved":      {func(s *Schema) { slices.Reverse(s.Indexes) }, nil},
		"all": {func(s *Schema) {
			*s = Schema{Layout: 1, Key: "x", Columns: []Column{{Name: "c", Codec: "x"}, {Name: "e", Codec: "x"}, {Name: "a", Codec: "y"}}}
		}, []string{`layout 1, want 6: open with WithReset and load again`, `key has codec "x", want "int64"`, `attribute "c" has codec "x", want "bool"`,
			`attribute "a" has codec "y", want "int64"`}},
	} {
		stored := wanted()
		c.change(&stored)
		if got := Differences(stored.Text(), wanted()); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
}

// A schema in another form is a difference too, whatever it is.
func TestS3_SchemasOfOtherFormsAreTold(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]string{
		"":                         "the stored schema cannot be read",
		"no JSON":                  "the stored schema cannot be read",
		`[1, 2]`:                   "the stored schema cannot be read",
		`{"layout":6,"indexes":7}`: "the stored schema cannot be read",
		`{"layout":6,"attributes":[["a","int64","?"]]}`: "the stored schema cannot be read",
		`{"layout":6,"attributes":[["a"]]}`:             "the stored schema cannot be read",
		`{"layout":9,"indexes":7}`:                      "layout 9, want 6: a later version of this library has written it",
		`{"layout":2,"key":"int64","attributes":[["a","int64"],["b","string"],["c","bool"]],"indexes":["at",{"name":"rank","version":2}]}`: `layout 2, want 6: open with WithReset and load again`,
	} {
		if got := Differences(stored, wanted()); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", stored, got, want)
		}
	}
}

// The indexes of a table are known from what any version has stored, so that they can be dropped.
func TestIndexesOfEveryLayoutAreKnown(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string][]string{
		`{"layout":2,"indexes":["at","rank"]}`: {"at", "rank"},
		wanted().Text():                        {"at", "rank"},
		`{"indexes":["*","at",{"name":"~"}]}`:  {"at"},
		`{}`:                                   nil,
	} {
		if got := IndexesIn(stored); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", stored, got, want)
		}
	}
	for _, unreadable := range []string{"", "x", "7", `{"indexes":7}`, `{"indexes":[7]}`} {
		if got := IndexesIn(unreadable); len(got) > 0 {
			t.Errorf("%s: got %q", unreadable, got)
		}
	}
}
