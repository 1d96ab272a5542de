package pg

import "testing"

// A page that was read before its rows were taken off tells nothing twice.
func TestAPageOfBeforeTellsNothingTwice(t *testing.T) {
	t.Parallel()
	l, page := newLedger(), []row{{ID: 1}, {ID: 2}}
	l.begin()
	l.add(l.untold(page))
	l.finish(l.all())
	if again := l.untold(page); len(again) > 0 {
		t.Errorf("%d rows are told twice", len(again))
	}
	l.begin()
	if len(l.done) > 0 || len(l.all()) > 0 {
		t.Error("what is done is kept for ever")
	}
}
