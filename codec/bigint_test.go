package codec_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestBigIntAsString(t *testing.T) {
	t.Parallel()
	ten := big.NewInt(10)
	power := func(n int64) *big.Int { return new(big.Int).Exp(ten, big.NewInt(n), nil) }
	limit := power(4300) // the first of 4,301 digits
	largest := new(big.Int).Sub(limit, big.NewInt(1))
	nines := strings.Repeat("9", 4300)
	conformance[*big.Int]{
		codec: codec.BigIntAsString,
		name:  "bigint-as-string",
		good: []pair[*big.Int]{{big.NewInt(0), "0"}, {big.NewInt(-17), "-17"}, {power(30), "1" + strings.Repeat("0", 30)},
			{new(big.Int).Neg(power(20)), "-100000000000000000000"}},
		alsoGood:  []pair[*big.Int]{{largest, nines}, {new(big.Int).Neg(largest), "-" + nines}},
		badValues: []*big.Int{nil, limit, new(big.Int).Neg(limit), power(20_000)},
		badBytes:  append([]string{"1" + nines, "-1" + nines, "0" + nines[1:]}, notIntegers...),
		same:      func(a, b *big.Int) bool { return a.Cmp(b) == 0 },
	}.check(t)
	if b, err := codec.BigIntAsString.Append(nil, largest); err != nil || string(b) != nines {
		t.Errorf("the largest became %d bytes, %v", len(b), err)
	}
}
