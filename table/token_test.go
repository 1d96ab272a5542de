package table

import (
	"errors"
	"math"
	"testing"
)

// A token tells its place to the spec that it was made for, and nothing to others.
func TestR6_ATokenIsOfItsSpec(t *testing.T) {
	t.Parallel()
	want := Place{Interval: 3, Score: math.Inf(-1), Key: []byte("a key\x00\xff")}
	token := newToken(7, want)
	got, err := token.place(7)
	if err != nil || got.Interval != 3 || got.Score != want.Score || string(got.Key) != string(want.Key) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := token.place(8); !errors.Is(err, ErrInvalidSpec) {
		t.Errorf("another spec: %v", err)
	}
	damaged := 0
	for i := range token {
		for _, c := range []byte("A_-z=/ \n") {
			other := []byte(token)
			if other[i] == c {
				continue
			}
			other[i] = c
			if _, err := Token(other).place(7); !errors.Is(err, ErrInvalidSpec) {
				t.Errorf("%q: %v", other, err)
			}
			damaged++
		}
		if _, err := token[:i].place(7); !errors.Is(err, ErrInvalidSpec) {
			t.Errorf("%q: %v", token[:i], err)
		}
	}
	if damaged < 100 {
		t.Errorf("only %d damaged tokens", damaged)
	}
}
