package codec_test

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tablecache-go/tablecache/codec"
)

func ExampleCodec() {
	b, err := codec.Int32.Append([]byte("id="), -2)
	fmt.Printf("%q %v\n", b, err)
	v, err := codec.Int32.Decode(b[len("id="):])
	fmt.Println(v, err)
	_, err = codec.Int32.Decode(b)
	fmt.Println(err)
	// Output:
	// "id=\xff\xff\xff\xfe" <nil>
	// -2 <nil>
	// codec: bytes cannot be decoded: 7 bytes where 4 belong
}

func ExampleNullable() {
	c := codec.Nullable(codec.Int8)
	null, _ := c.Append(nil, nil)
	five, _ := c.Append(nil, new(int8(5)))
	fmt.Printf("%v: %x %x\n", c, null, five)
	// Output: nullable(int8): 00 0105
}

func ExampleArray() {
	c := codec.Array(codec.String)
	b, _ := c.Append(nil, []string{"a", "", "bc"})
	v, err := c.Decode(b)
	fmt.Printf("%v: %x %q %v\n", c, b, v, err)
	// Output: array(string): 000161000000026263 ["a" "" "bc"] <nil>
}

// A primary key of two columns.
func ExampleStruct() {
	type seat struct {
		Train string
		No    uint16
	}
	c := codec.Struct(
		codec.PartOf(codec.String, func(s *seat) *string { return &s.Train }),
		codec.PartOf(codec.Uint16, func(s *seat) *uint16 { return &s.No }),
	)
	b, _ := c.Append(nil, seat{"ICE 75", 61})
	v, err := c.Decode(b)
	fmt.Printf("%v: %q %v %v\n", c, b, v, err)
	// Output: struct(string,uint16): "\x06ICE 75\x02\x00=" {ICE 75 61} <nil>
}

func ExampleText() {
	c := codec.Text[netip.Prefix]()
	b, _ := c.Append(nil, netip.MustParsePrefix("10.0.0.0/8"))
	v, err := c.Decode(b)
	fmt.Printf("%v: %s %v %v\n", c, b, v.Bits(), err)
	// Output: text(netip.Prefix): 10.0.0.0/8 8 <nil>
}

func ExampleJSON() {
	type place struct{ Lat, Lon float64 }
	c := codec.JSON[place]()
	b, _ := c.Append(nil, place{52.5, 13.4})
	v, err := c.Decode(b)
	fmt.Printf("%s %v %v\n", b, v, err)
	// Output: {"Lat":52.5,"Lon":13.4} {52.5 13.4} <nil>
}

// country is a codec of one's own: two capital letters. It tells no value in its errors.
type country struct{}

func (country) String() string { return "country" }

func (country) Append(dst []byte, v string) ([]byte, error) {
	if !isCountry(v) {
		return dst, fmt.Errorf("%w: not a country", codec.ErrValue)
	}
	return append(dst, v...), nil
}

func (country) Decode(src []byte) (string, error) {
	if !isCountry(string(src)) {
		return "", fmt.Errorf("%w: not a country", codec.ErrData)
	}
	return string(src), nil
}

func isCountry(s string) bool {
	return len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// One's own codec goes wherever one of the package's does.
func ExampleCodec_own() {
	c := codec.Nullable[string](country{})
	b, _ := c.Append(nil, new("DE"))
	_, err := c.Append(nil, new("Germany"))
	fmt.Printf("%v: %q\n%v\n", c, b, err)
	// Output:
	// nullable(country): "\x01DE"
	// codec: value cannot be encoded: not a country
}
