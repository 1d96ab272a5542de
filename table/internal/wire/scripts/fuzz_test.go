package scripts

import (
	"errors"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/internal/memtest"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// answers are replies as a server sends them, and some that it never would.
var answers = []string{
	"*7\r\n$2\r\nOK\r\n$3\r\n1:a\r\n$0\r\n\r\n$5\r\nclear\r\n$1\r\n0\r\n$1\r\n0\r\n$1\r\n0\r\n",
	"*13\r\n$2\r\nOK\r\n$3\r\n1:a\r\n$0\r\n\r\n$7\r\nmerging\r\n$1\r\n9\r\n$1\r\n2\r\n$1\r\n4\r\n:1\r\n$3\r\n1.5\r\n$1\r\nk\r\n" +
		"*1\r\n*1\r\n$1\r\nk\r\n*1\r\n*1\r\n$5\r\nabcde\r\n*1\r\n*1\r\n$3\r\n1.5\r\n",
	"*11\r\n$3\r\n1:a\r\n$1\r\n0\r\n$5\r\nclear\r\n$1\r\n0\r\n$1\r\n0\r\n$1\r\n0\r\n$1\r\n3\r\n$1\r\n0\r\n$1\r\n0\r\n$2\r\n80\r\n$2\r\n33\r\n",
	"-ERR no\r\n", "*1000000\r\n", "*-1\r\n", "$5\r", "$99999999\r\nx\r\n", "*2\r\n*99\r\n_\r\n", ":\r\n", "*7\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n",
	strings.Repeat("*1\r\n", 500), "*1\r\n$5\r", "*0\r\n",
}

// FuzzAnswer reads any bytes as an answer, a page and a table's truth: no panic, an error that is engine.ErrLost or the server's
// own, and memory in proportion to what came. (A list of nulls takes five bytes each, and 24 here.)
func FuzzAnswer(f *testing.F) {
	for _, text := range answers {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := readAll(raw); err != nil && !errors.Is(err, engine.ErrLost) && !wire.IsRefusal(err) {
			t.Errorf("got %v", err)
		}
		memtest.WantBounded(t, "an answer", 64*len(raw), func() { _ = readAll(raw) })
	})
}

func readAll(raw []byte) error {
	_, _ = new(wire.Client).ReadTruth(raw)
	a, err := wire.ReadAnswer(raw)
	if err != nil {
		return err
	}
	lists := a.Rest // another reader of the same bytes
	lists.Lists()
	if lists.Err() != nil && !errors.Is(lists.Err(), engine.ErrLost) && !wire.IsRefusal(lists.Err()) {
		return lists.Err()
	}
	_, err = ReadPage(&a, []layout.Bound{{Min: "-inf", Max: "+inf"}})
	return err
}

// FuzzTruth reads any text as the fields of a table's truth.
func FuzzTruth(f *testing.F) {
	f.Add("1:a", "1", "2", "clear", "3")
	f.Add("", "18446744073709551616", "4294967296", "Clear", "-1")
	f.Fuzz(func(t *testing.T, epoch, seq, gen, state, version string) {
		a, err := wire.ParseAnswer([]any{"OK", epoch, "", state, seq, gen, version})
		if err != nil && !errors.Is(err, engine.ErrLost) {
			t.Errorf("got %v", err)
		}
		if err == nil && epoch != "" && a.View.State.String() != state {
			t.Errorf("state %q is read as %v", state, a.View.State)
		}
		_ = wire.Ownership("1:a", layout.Epoch(epoch))
		_ = layout.IndexesIn(epoch + state)
		_ = layout.Differences(epoch+state, layout.Schema{})
	})
}
