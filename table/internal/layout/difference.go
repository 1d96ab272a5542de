package layout

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Differences tells why rows of a stored schema cannot be read, or written, by a definition: another version of the layout, another
// codec of the key or of an attribute. It is empty if they can, whichever attributes and indexes the two have.
func Differences(stored string, want Schema) []string {
	all, same := CompareVersions(stored)
	var s Schema
	if err := json.Unmarshal([]byte(stored), &s); err != nil {
		if same {
			all = append(all, "the stored schema cannot be read")
		}
		return all
	}
	if s.Key != want.Key {
		all = append(all, differs("key", s.Key, want.Key))
	}
	for _, c := range s.Columns {
		i := slices.IndexFunc(want.Columns, c.holds)
		if i >= 0 && want.Columns[i].Codec != c.Codec {
			all = append(all, differs(fmt.Sprintf("attribute %q", c.Name), c.Codec, want.Columns[i].Codec))
		}
	}
	return all
}

// IsReadable tells whether this version of the layout reads tables whose schema has this text.
func IsReadable(stored string) bool {
	_, same := CompareVersions(stored)
	return same
}

// holds tells whether a column is that of an attribute of a definition.
func (c Column) holds(attribute Column) bool { return !c.Dropped && c.Name == attribute.Name }

// CompareVersions compares the version of the layout that has written a schema with this one. same tells that this one reads it. It comes
// before anything else, because in another version the schema may have another form.
func CompareVersions(stored string) (differences []string, same bool) {
	var s struct{ Layout int }
	switch {
	case json.Unmarshal([]byte(stored), &s) != nil, earliest <= s.Layout && s.Layout <= Version:
		return nil, true
	case s.Layout > Version:
		return []string{fmt.Sprintf("layout %d, want %d: a later version of this library has written it", s.Layout, Version)}, false
	}
	return []string{fmt.Sprintf("layout %d, want %d: open with WithReset and load again", s.Layout, Version)}, false
}

func differs(what, stored, want string) string {
	return fmt.Sprintf("%s has codec %q, want %q", what, stored, want)
}
