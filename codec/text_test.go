package codec_test

import (
	"math/big"
	"net/netip"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestText(t *testing.T) {
	t.Parallel()
	conformance[netip.Addr]{
		codec:    codec.Text[netip.Addr](),
		name:     "text(netip.Addr)",
		good:     []pair[netip.Addr]{{netip.MustParseAddr("127.0.0.1"), "127.0.0.1"}, {netip.MustParseAddr("::1"), "::1"}, {netip.Addr{}, ""}},
		badBytes: []string{"x", "127.0.0", " ::1"},
		same:     func(a, b netip.Addr) bool { return a == b },
	}.check(t)
	conformance[big.Float]{
		codec:    codec.Text[big.Float](),
		name:     "text(big.Float)",
		badBytes: []string{"x"},
	}.check(t)
	conformance[secretive]{
		codec:     codec.Text[secretive](),
		name:      "text(codec_test.secretive)",
		badValues: []secretive{{}},
		badBytes:  []string{""},
	}.check(t)
}
