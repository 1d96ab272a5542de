package wire

import "testing"

// What was learned first counts whole: a page after one of wide rows would else be several times too large.
func TestAnAverageBeginsWithWhatItLearnsFirst(t *testing.T) {
	t.Parallel()
	var a Average
	if a.Guess() != firstGuess {
		t.Errorf("before: %d", a.Guess())
	}
	a.Learn(26*10_240, 26)
	if n := a.Guess(); n < 10_240 || n > 10_241 {
		t.Errorf("after one: %d", n)
	}
	a.Learn(10_240+4_000, 1)
	if n := a.Guess(); n < 11_000 || n > 11_300 {
		t.Errorf("after two: %d", n)
	}
}
