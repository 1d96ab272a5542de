package codec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

type columns struct {
	Site string
	Bay  int16
	Note string // no part
}

func columnsCodec() codec.Codec[columns] {
	return codec.Struct(
		codec.PartOf(codec.String, func(c *columns) *string { return &c.Site }),
		codec.PartOf(codec.Int16, func(c *columns) *int16 { return &c.Bay }),
	)
}

func TestStruct(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	longest := strings.Repeat("x", 16384)
	conformance[columns]{
		codec: columnsCodec(),
		name:  "struct(string,int16)",
		good: []pair[columns]{{columns{}, unhex("00 020000")}, {columns{Site: "é", Bay: -2}, unhex("02c3a9 02fffe")},
			{columns{Site: strings.Repeat("x", 127)}, "\x7f" + strings.Repeat("x", 127) + "\x02\x00\x00"},
			{columns{Site: strings.Repeat("x", 128)}, "\x80\x01" + strings.Repeat("x", 128) + "\x02\x00\x00"},
			{columns{Site: long, Bay: 1}, "\xac\x02" + long + "\x02\x00\x01"}},
		alsoGood:  []pair[columns]{{columns{Site: longest, Bay: 1}, "\x80\x80\x01" + longest + "\x02\x00\x01"}},
		badValues: []columns{{Site: "\xff"}, {Site: long + "\xff"}},
		badBytes: []string{"", "\x00", "\x00\x02\x00", "\x00\x02", "\x00\x01\x00", "\x00\x03\x00\x00\x00", "\x00\x02\x00\x00\x00",
			"\x01\xff\x02\x00\x00", "\x05a",
			"\x80\x00\x02\x00\x00", "\x00\x82\x00\x00\x00", // lengths that take more bytes than they need
			unhex("ffffffffffffffffff01"), unhex("ffffffffffffffffffff01"), unhex("80808080808080808080808001")},
	}.check(t)
	if b, err := columnsCodec().Append([]byte("p"), columns{Site: longest, Bay: 1}); err != nil || string(b) != "p\x80\x80\x01"+longest+"\x02\x00\x01" {
		t.Errorf("a long part became %d bytes, %v", len(b), err)
	}
}

func TestStructIgnoresWhatIsNoPart(t *testing.T) {
	t.Parallel()
	b, err := columnsCodec().Append(nil, columns{Site: "a", Note: "not stored"})
	if err != nil || string(b) != "\x01a\x02\x00\x00" {
		t.Errorf("%x, %v", b, err)
	}
}

func TestStructInStruct(t *testing.T) {
	t.Parallel()
	type outer struct {
		In   columns
		Tags []string
	}
	conformance[outer]{
		codec: codec.Struct(
			codec.PartOf(codec.Array(codec.String), func(o *outer) *[]string { return &o.Tags }),
			codec.PartOf(columnsCodec(), func(o *outer) *columns { return &o.In })),
		name:     "struct(array(string),struct(string,int16))",
		good:     []pair[outer]{{outer{columns{Site: "a", Bay: 1}, []string{"b"}}, unhex("03 000162 05 0161 020001")}},
		badBytes: []string{unhex("03 000162 04 0161 0200")},
	}.check(t)
}

// Two keys with the same letters in other columns are two keys.
func TestStructTellsColumnsApart(t *testing.T) {
	t.Parallel()
	type names [2]string
	c := codec.Struct(
		codec.PartOf(codec.String, func(n *names) *string { return &n[0] }),
		codec.PartOf(codec.String, func(n *names) *string { return &n[1] }))
	a, errA := c.Append(nil, names{"ab", "c"})
	b, errB := c.Append(nil, names{"a", "bc"})
	if errA != nil || errB != nil || string(a) == string(b) {
		t.Errorf("%x, %v and %x, %v", a, errA, b, errB)
	}
}

func TestStructOfForeign(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	c := codec.Struct(codec.PartOf[columns, string](foreign{own}, func(c *columns) *string { return &c.Site }))
	if b, err := c.Append([]byte("x"), columns{}); !errors.Is(err, own) || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	if v, err := c.Decode([]byte("\x01v")); !errors.Is(err, own) || v != (columns{}) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestStructKeepsItsParts(t *testing.T) {
	t.Parallel()
	parts := []codec.Part[columns]{codec.PartOf(codec.String, func(c *columns) *string { return &c.Site })}
	c := codec.Struct(parts...)
	parts[0] = codec.Part[columns]{}
	conformance[columns]{codec: c, name: "struct(string)", good: []pair[columns]{{columns{Site: "a"}, "\x01a"}}}.check(t)
}

func TestStructOfNothing(t *testing.T) {
	t.Parallel()
	mustPanic(t, "Struct", func() { codec.Struct[columns]() })
	mustPanic(t, "zero Part", func() { codec.Struct(codec.Part[columns]{}) })
	mustPanic(t, "PartOf a nil codec", func() { codec.PartOf(nil, func(c *columns) *string { return &c.Site }) })
	mustPanic(t, "PartOf a nil function", func() { codec.PartOf[columns](codec.String, nil) })
}
