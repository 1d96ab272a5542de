package codec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tablecache-go/tablecache/codec"
)

// Not parallel, as the next one is not: they measure what the whole process allocates.
func TestDecodeAllocatesWhatTheInputJustifies(t *testing.T) {
	many := func(s string) []byte { return []byte(strings.Repeat(s, 100_000/len(s))) }
	hostile := [][]byte{{}, {0xff, 0xff}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		many("\x00\x00"), many("\x00\x01\x00"), many("\x00\x02\x01x"), many("\x00\x05\x00\x02\x00\x00\x00"), many("x"),
		many("9"), many("\x01"), many("\xff"), many("["),
		many("7")[:4300], many("7")[:330], []byte(`{"Tags":[` + string(many(`"",`)) + `""]}`), many("\x00\x04\x00\x00\x00\x00"),
		many("\x00\x09\x01" + "12345678"), many("\x00\x05\x01a\x02\x00\x00"), []byte("\x01\x01" + string(many("x")))}
	for _, c := range all {
		for _, src := range hostile {
			checkAllocated(t, []erased{c}, src)
		}
	}
}

func TestScalarsDoNotAllocate(t *testing.T) {
	noAllocs(t, codec.Bool, true)
	noAllocs(t, codec.Int8, -1)
	noAllocs(t, codec.Int64, -1)
	noAllocs(t, codec.Uint64, 1<<63)
	noAllocs(t, codec.Float32, 1.5)
	noAllocs(t, codec.Float64, 1.5)
	noAllocs(t, codec.IntAsString, -1<<63)
	noAllocs(t, codec.FloatAsString, -1.2345678901234567e-300)
	noAllocs(t, codec.UUID, uuid.Max)
	noAllocs(t, codec.UTCDatetime, time.Unix(1e9, 0).UTC())
	noAllocs(t, codec.Time, time.Unix(1e9, 1))
	noAllocs(t, codec.String, "") // a longer one is copied when it is decoded
	noAllocs(t, codec.Nullable(codec.Int8), nil)
	noAllocs(t, codec.Array(codec.Int8), nil)
}

func TestKeepersShareWhatTheyDecode(t *testing.T) {
	src := []byte("a text that is longer than any that Go keeps for itself")
	k := codec.String.(codec.Keeper[string])
	if n := testing.AllocsPerRun(100, func() { _, _ = k.DecodeKept(src) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, is := codec.Nullable(codec.String).(codec.Keeper[*string]); !is {
		t.Error("a nullable string is copied")
	}
	if _, is := codec.Nullable(codec.Int8).(codec.Keeper[*int8]); is {
		t.Error("a nullable number wants memory of its own")
	}
}

func noAllocs[T any](t *testing.T, c codec.Codec[T], v T) {
	t.Helper()
	buf := make([]byte, 0, 64)
	src, err := c.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(100, func() {
		if _, err := c.Append(buf, v); err != nil {
			t.Error(err)
		}
		if _, err := c.Decode(src); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocates %v times", c, n)
	}
}
