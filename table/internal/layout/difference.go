package layout

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Differences tells how a stored schema differs from the one that is wanted: layout, key, attributes, indexes, in this order. It
// is called when their texts differ, and tells at least one difference.
func Differences(stored string, want Schema) []string {
	all, same := compareLayouts(stored, want.Layout)
	var s Schema
	if err := json.Unmarshal([]byte(stored), &s); err != nil {
		if same {
			all = append(all, "the stored schema cannot be read")
		}
		return all
	}
	if s.Key != want.Key {
		all = append(all, differs("key", "codec", s.Key, want.Key))
	}
	all = append(all, compare("attribute", "codec", codecs(s.Attributes), codecs(want.Attributes))...)
	all = append(all, compare("index", "version", versions(s.Indexes), versions(want.Indexes))...)
	if len(all) == 0 {
		all = append(all, "the stored schema is written in another way")
	}
	return all
}

// compareLayouts compares the versions of the layout. It comes first, because in another version the schema may have another form.
func compareLayouts(stored string, want int) (differences []string, same bool) {
	var s struct{ Layout int }
	if json.Unmarshal([]byte(stored), &s) != nil || s.Layout == want {
		return nil, true
	}
	advice := "open with WithReset and load again"
	if s.Layout > want {
		advice = "a later version of this library has written it"
	}
	return []string{fmt.Sprintf("layout %d, want %d: %s", s.Layout, want, advice)}, false
}

// part is an attribute or an index, and the property of it that is compared: the codec, or the version.
type part struct{ name, property string }

func codecs(attributes [][2]string) (all []part) {
	for _, a := range attributes {
		all = append(all, part{a[0], a[1]})
	}
	return all
}

func versions(indexes []Index) (all []part) {
	for _, x := range indexes {
		all = append(all, part{x.Name, fmt.Sprint(x.Version)})
	}
	return all
}

// compare tells how parts of one kind differ: first those that are stored, in their order, then those that are not, then the order.
func compare(kind, property string, stored, want []part) (all []string) {
	for _, s := range stored {
		name := fmt.Sprintf("%s %q", kind, s.name)
		if w, is := find(want, s.name); !is {
			all = append(all, name+" is stored and not defined")
		} else if w.property != s.property {
			all = append(all, differs(name, property, s.property, w.property))
		}
	}
	for _, w := range want {
		if _, is := find(stored, w.name); !is {
			all = append(all, fmt.Sprintf("%s %q is defined and not stored", kind, w.name))
		}
	}
	if s, w := common(stored, want), common(want, stored); !slices.Equal(s, w) {
		all = append(all, fmt.Sprintf("%s order: stored %q, want %q", kind, s, w))
	}
	return all
}

func differs(what, property, stored, want string) string {
	return fmt.Sprintf("%s has %s %q, want %q", what, property, stored, want)
}

func find(parts []part, name string) (part, bool) {
	i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
	if i < 0 {
		return part{}, false
	}
	return parts[i], true
}

// common returns, in order, the names of those parts that are also among others.
func common(parts, others []part) (names []string) {
	for _, p := range parts {
		if _, is := find(others, p.name); is {
			names = append(names, p.name)
		}
	}
	return names
}
