package codec_test

import (
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestString(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("日本", 50_000)
	bad := []string{"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"} // cut, surrogate, overlong, beyond Unicode
	conformance[string]{
		codec:     codec.String,
		name:      "string",
		good:      []pair[string]{{"", ""}, {"é", "\xc3\xa9"}, {"a\x00b", "a\x00b"}, {"\ufffd", "\xef\xbf\xbd"}, {"😀", unhex("f09f9880")}},
		alsoGood:  []pair[string]{{long, long}},
		badValues: bad,
		badBytes:  bad,
	}.check(t)
}
