package layout

import (
	"slices"
	"testing"
)

func wanted() Schema {
	return Schema{Layout: Version, Key: "int64", Attributes: [][2]string{{"a", "int64"}, {"b", "string"}, {"c", "bool"}},
		Indexes: []Index{{"at", 0}, {"rank", 2}}}
}

// S3: every difference is told, in the same order each time.
func TestS3_DifferencesAreAllTold(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change func(*Schema)
		want   []string
	}{
		"layout before":    {func(s *Schema) { s.Layout-- }, []string{`layout 4, want 5: open with WithReset and load again`}},
		"layout to come":   {func(s *Schema) { s.Layout++ }, []string{`layout 6, want 5: a later version of this library has written it`}},
		"key":              {func(s *Schema) { s.Key = "string" }, []string{`key has codec "string", want "int64"`}},
		"attribute codec":  {func(s *Schema) { s.Attributes[1][1] = "bytes" }, []string{`attribute "b" has codec "bytes", want "string"`}},
		"attribute more":   {func(s *Schema) { s.Attributes = append(s.Attributes, [2]string{"d", "bool"}) }, []string{`attribute "d" is stored and not defined`}},
		"attribute fewer":  {func(s *Schema) { s.Attributes = s.Attributes[1:] }, []string{`attribute "a" is defined and not stored`}},
		"attributes moved": {func(s *Schema) { slices.Reverse(s.Attributes) }, []string{`attribute order: stored ["c" "b" "a"], want ["a" "b" "c"]`}},
		"index version":    {func(s *Schema) { s.Indexes[1].Version = 1 }, []string{`index "rank" has version "1", want "2"`}},
		"index renamed": {func(s *Schema) { s.Indexes[1].Name = "x" }, []string{`index "x" is stored and not defined`,
			`index "rank" is defined and not stored`}},
		"indexes moved": {func(s *Schema) { slices.Reverse(s.Indexes) }, []string{`index order: stored ["rank" "at"], want ["at" "rank"]`}},
		"all": {func(s *Schema) {
			*s = Schema{Layout: 1, Key: "x", Attributes: [][2]string{{"c", "x"}, {"e", "x"}, {"a", "int64"}}, Indexes: []Index{{"rank", 0}}}
		}, []string{`layout 1, want 5: open with WithReset and load again`, `key has codec "x", want "int64"`, `attribute "c" has codec "x", want "bool"`,
			`attribute "e" is stored and not defined`, `attribute "b" is defined and not stored`, `attribute order: stored ["c" "a"], want ["a" "c"]`,
			`index "rank" has version "0", want "2"`, `index "at" is defined and not stored`}},
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
		`{"layout":5,"indexes":7}`: "the stored schema cannot be read",
		`{"layout":9,"indexes":7}`: "layout 9, want 5: a later version of this library has written it",
		" " + wanted().Text():      "the stored schema is written in another way",
		`{"layout":2,"key":"int64","attributes":[["a","int64"],["b","string"],["c","bool"]],"indexes":["at",{"name":"rank","version":2}]}`: `layout 2, want 5: open with WithReset and load again`,
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
