package codec_test

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tablecache-go/tablecache/codec"
)

// same checks that the codec which has the name of c writes and reads the same.
func same[T any](t *testing.T, c codec.Codec[T], v T) {
	t.Helper()
	name := fmt.Sprint(c)
	n, ok := codec.Named(name)
	if !ok || fmt.Sprint(n) != name {
		t.Fatalf("%s: got %v, %t", name, n, ok)
	}
	want, err := c.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := n.Append(nil, v)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s: wrote %x (%v), want %x", name, got, err, want)
	}
	back, err := n.Decode(want)
	if err != nil || !reflect.DeepEqual(back, any(v)) {
		t.Errorf("%s: read %#v (%v), want %#v", name, back, err, v)
	}
	if _, err := n.Append(nil, struct{}{}); !errors.Is(err, codec.ErrValue) {
		t.Errorf("%s: a value of another type: got %v, want ErrValue", name, err)
	}
	if _, err := n.Decode([]byte("\xff\xff\xff")); err == nil && name != "bytes" {
		t.Errorf("%s: damaged data was read", name)
	}
}

func TestNamedCodecsAreTheirNamesakes(t *testing.T) {
	t.Parallel()
	seven := int64(7)
	list := []int64{1, 2}
	same(t, codec.Bool, true)
	same(t, codec.String, "a")
	same(t, codec.Bytes, []byte("b"))
	same(t, codec.Float32, 1.5)
	same(t, codec.Float64, 2.5)
	same(t, codec.Int8, 1)
	same(t, codec.Int16, 2)
	same(t, codec.Int32, 3)
	same(t, codec.Int64, 4)
	same(t, codec.Uint8, 5)
	same(t, codec.Uint16, 6)
	same(t, codec.Uint32, 7)
	same(t, codec.Uint64, 8)
	same(t, codec.IntAsString, 9)
	same(t, codec.BigIntAsString, big.NewInt(10))
	same(t, codec.FloatAsString, 0.1)
	same(t, codec.UUID, uuid.UUID{1, 2})
	same(t, codec.UTCDatetime, time.Unix(1, 0).UTC())
	same(t, codec.Time, time.Unix(2, 3).UTC())
	same(t, codec.Nullable(codec.Int64), &seven)
	same(t, codec.Nullable(codec.Int64), nil)
	same(t, codec.Array(codec.Int64), list)
	same(t, codec.Array(codec.Nullable(codec.Int64)), []*int64{nil, &seven})
	same(t, codec.Nullable(codec.Array(codec.Int64)), &list)
}

func TestNamesOfNoCodecOfOurs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "int65", "json(int)", "struct(int64,int64)", "nullable(json(int))", "array(", "array()", "nullable(int64"} {
		if c, ok := codec.Named(name); ok {
			t.Errorf("%q: got %v", name, c)
		}
	}
}
