package table_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// A position survives its text, and no other text is one.
func TestR5_APositionTravelsAsText(t *testing.T) {
	t.Parallel()
	const text = "12:0123456789abcdef/345"
	p, err := table.ParsePosition(text)
	ok(t, err)
	if p.String() != text || p.IsZero() {
		t.Errorf("got %v", p)
	}
	b, err := json.Marshal(map[string]table.Position{"at": p})
	ok(t, err)
	var back map[string]table.Position
	ok(t, json.Unmarshal(b, &back))
	if back["at"] != p {
		t.Errorf("%s came back as %v", b, back)
	}
	zero, err := table.ParsePosition("")
	if err != nil || !zero.IsZero() || zero.String() != "" {
		t.Errorf("no text is %v, %v", zero, err)
	}
	for _, bad := range []string{"x", "/", "1/2", "1:0123456789abcdef", "1:0123456789abcdef/", "1:0123456789abcdef/-1", "1:0123456789abcdef/01",
		"0:0123456789abcdef/1", "1:0123456789abcdeF/1", "1:0123456789abcdef/18446744073709551616", " 1:0123456789abcdef/1", "1:0123456789abcdef/1/2"} {
		if p, err := table.ParsePosition(bad); !errors.Is(err, table.ErrInvalidPosition) || !p.IsZero() {
			t.Errorf("%q is %v, %v", bad, p, err)
		}
	}
}
