package table_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// sly is a codec of strings that keeps its contract but for strings that begin with "!".
type sly func(dst []byte, v string) ([]byte, error)

func (c sly) Append(dst []byte, v string) ([]byte, error) {
	if !strings.HasPrefix(v, "!") {
		return append(dst, v...), nil
	}
	return c(dst, v)
}

func (sly) Decode(src []byte) (string, error) { return string(src), nil }
func (sly) String() string                    { return "sly" }

// errSly has a text that tells the value.
var errSly = errors.New(secret)

var slyCodecs = map[string]sly{
	"its own bytes":              func(_ []byte, v string) ([]byte, error) { return []byte(v), nil },
	"many bytes of its own":      func([]byte, string) ([]byte, error) { return make([]byte, 10_000), nil },
	"nothing":                    func([]byte, string) ([]byte, error) { return nil, nil },
	"in place of dst":            func(dst []byte, v string) ([]byte, error) { return append(dst[:0], v...), nil },
	"a byte less":                func(dst []byte, v string) ([]byte, error) { return dst[:max(0, len(dst)-1)], nil },
	"dst, written to":            func(dst []byte, v string) ([]byte, error) { clear(dst); return append(dst, v...), nil },
	"nil and an error":           func([]byte, string) ([]byte, error) { return nil, errSly },
	"an error, dst written to":   func(dst []byte, _ string) ([]byte, error) { clear(dst); return dst, errSly },
	"bytes of its own, an error": func([]byte, string) ([]byte, error) { return make([]byte, 10_000), errSly },
}

// told checks that a codec's breach, or its own error, is told as a failure to encode, without its text.
func told(t *testing.T, what string, err error, attribute string) {
	t.Helper()
	var c *table.CodingError
	if !errors.As(err, &c) || c.Decoding || c.Attribute != attribute || !errors.Is(err, codec.ErrValue) || errors.Is(err, table.ErrPanic) {
		t.Errorf("%s: got %v, want a *CodingError about %q", what, err, attribute)
		return
	}
	if errors.Is(err, codec.ErrContract) == errors.Is(err, errSly) {
		t.Errorf("%s: got %v, want either a broken contract or the codec's own error", what, err)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("%s: the text tells the codec's own: %v", what, err)
	}
}

type slyKey struct{ A, B string }

type slyRecord struct {
	Key  slyKey
	V, W string
	P    *string
	L    []string
}

// slyDefinition has one codec in its key and one for its attributes.
func slyDefinition(name string, key, value codec.Codec[string]) table.Definition[slyRecord, slyKey] {
	return table.Definition[slyRecord, slyKey]{
		Name: name,
		PrimaryKey: table.Key(codec.Struct(codec.PartOf(codec.String, func(k *slyKey) *string { return &k.A }),
			codec.PartOf(key, func(k *slyKey) *string { return &k.B })), func(r *slyRecord) slyKey { return r.Key }),
		Attributes: []table.Attribute[slyRecord]{
			table.Field("first", codec.String, func(r *slyRecord) *string { return &r.Key.A }),
			table.Field("v", value, func(r *slyRecord) *string { return &r.V }),
			table.Attr("w", value, func(r *slyRecord) (string, error) { return r.W, nil }, func(r *slyRecord, s string) error { r.W = s; return nil }),
			table.Field("p", codec.Nullable(value), func(r *slyRecord) **string { return &r.P }),
			table.Field("l", codec.Array(value), func(r *slyRecord) *[]string { return &r.L }),
		},
		Indexes: []table.Index[slyRecord]{table.By("at", func(r *slyRecord) float64 { return float64(len(r.V)) })},
	}
}

// P12: an attribute's codec that does not append is refused, alone and inside of others, beside sound records too; nothing is sent.
func TestP12_AnAttributesCodecThatDoesNotAppend(t *testing.T) {
	t.Parallel()
	bad := "!" + secret
	for what, c := range slyCodecs {
		rdb, sent := counted(t)
		tbl := open(t, rdb, slyDefinition(redistest.Prefix(t), codec.String, c), []string{"at"})
		sound := slyRecord{Key: slyKey{"a", "b"}, V: "v", W: "w", P: new(string), L: []string{"x", "y"}}
		ok(t, tbl.Put(t.Context(), sound))
		before := sent.n.Load()
		for attribute, r := range map[string]slyRecord{"v": {V: bad}, "w": {W: bad}, "p": {P: &bad}, "l": {L: []string{"x", bad, "y"}}} {
			r.Key = slyKey{"c", "d"}
			told(t, what+": Put", tbl.Put(t.Context(), sound, r, sound), attribute)
			told(t, what+": ScratchPut", tbl.ScratchPut(t.Context(), r), attribute)
		}
		if n := sent.n.Load(); n != before {
			t.Errorf("%s: %d commands were sent", what, n-before)
		}
		got, err := tbl.Get(t.Context(), sound.Key)
		if ok(t, err); got.V != "v" || got.W != "w" || *got.P != "" || !slices.Equal(got.L, sound.L) {
			t.Errorf("%s: the sound record is %+v", what, got)
		}
	}
}

// P12: likewise a key's codec, whether the key is written or asked for.
func TestP12_AKeysCodecThatDoesNotAppend(t *testing.T) {
	t.Parallel()
	bad := slyKey{"a", "!" + secret}
	for what, c := range slyCodecs {
		rdb, sent := counted(t)
		tbl := open(t, rdb, slyDefinition(redistest.Prefix(t), c, codec.String), []string{"at"})
		ok(t, tbl.Put(t.Context(), slyRecord{Key: slyKey{"a", "b"}}))
		before := sent.n.Load()
		told(t, what+": Put", tbl.Put(t.Context(), slyRecord{Key: bad}), "")
		told(t, what+": Put of two", tbl.Put(t.Context(), slyRecord{Key: bad}, slyRecord{Key: bad}), "")
		told(t, what+": ScratchPut", tbl.ScratchPut(t.Context(), slyRecord{Key: slyKey{"a", "b"}}, slyRecord{Key: bad}), "")
		_, err := tbl.Get(t.Context(), bad)
		told(t, what+": Get", err, "")
		told(t, what+": Lookup", lastError(tbl.Lookup(t.Context(), slyKey{"a", "b"}, bad)), "")
		_, err = tbl.DeleteKeys(t.Context(), bad, slyKey{"a", "b"})
		told(t, what+": DeleteKeys", err, "")
		if n := sent.n.Load(); n != before {
			t.Errorf("%s: %d commands were sent", what, n-before)
		}
	}
}

// P12: a key whose codec alone is the caller's.
func TestP12_AKeyThatIsItsOwnBytes(t *testing.T) {
	t.Parallel()
	for what, c := range slyCodecs {
		rdb := redistest.Shared(t).Client(t)
		def := table.Definition[map[string]any, string]{
			Name:       redistest.Prefix(t),
			PrimaryKey: table.Key(codec.Codec[string](c), func(r *map[string]any) string { return (*r)["k"].(string) }),
			Attributes: []table.Attribute[map[string]any]{table.MapField("k", codec.Codec[string](c))},
			Indexes:    []table.Index[map[string]any]{table.By("at", func(r *map[string]any) float64 { return 1 })},
		}
		tbl := open(t, rdb, def, []string{"at"})
		told(t, what, tbl.Put(t.Context(), map[string]any{"k": "!a"}, map[string]any{"k": "!b"}), "")
		_, err := tbl.Get(t.Context(), "!a")
		told(t, what, err, "")
		def.PrimaryKey = table.Key(codec.String, func(r *map[string]any) string { return (*r)["k"].(string) })
		def.Name = redistest.Prefix(t)
		told(t, what, open(t, rdb, def, []string{"at"}).Put(t.Context(), map[string]any{"k": "!a"}), "k")
	}
}

// grabby is a codec whose Decode writes to src, after it has made a copy, or keeps it.
type grabby struct{ keeps, scribbles bool }

func (grabby) Append(dst, v []byte) ([]byte, error) { return append(dst, v...), nil }

func (g grabby) Decode(src []byte) ([]byte, error) {
	if g.keeps {
		return src, nil
	}
	v := slices.Clone(src)
	if g.scribbles {
		for i := range src {
			src[i] ^= 0xff
		}
		_ = append(src, "more than there is"...)
	}
	return v, nil
}

// kept is grabby as a Keeper.
type kept struct{ grabby }

func (k kept) DecodeKept(src []byte) ([]byte, error) { return k.Decode(src) }

type pair struct {
	ID   int64
	A, B []byte
}

func pairDefinition(name string, c codec.Codec[[]byte]) table.Definition[pair, int64] {
	return table.Definition[pair, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(p *pair) int64 { return p.ID }),
		Attributes: []table.Attribute[pair]{
			table.Field("id", codec.Int64, func(p *pair) *int64 { return &p.ID }),
			table.Field("a", c, func(p *pair) *[]byte { return &p.A }),
			table.Field("b", c, func(p *pair) *[]byte { return &p.B }),
		},
		Indexes: []table.Index[pair]{table.By("at", func(p *pair) float64 { return float64(p.ID) })},
	}
}

func pairs(n int64) (all []pair) {
	for i := range n {
		all = append(all, pair{ID: i, A: []byte{'a', byte(i)}, B: []byte{'b', byte(i)}})
	}
	return all
}

// P12: a Decode that writes to its input, or keeps it, spoils no other value, and no call that sends rows back to be compared.
func TestP12_ADecodeThatWritesToItsInput(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]codec.Codec[[]byte]{
		"scribbles": grabby{scribbles: true}, "keeps": grabby{keeps: true}, "scribbles, a Keeper": kept{grabby{scribbles: true}},
		"keeps, a Keeper": kept{grabby{keeps: true}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := open(t, rdb, pairDefinition(name, c), []string{"at"}, table.WithPageBytes(500))
			ok(t, tbl.Put(t.Context(), pairs(100)...))
			wantPairs(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), 0, 100)
			wantPairs(t, all(t, tbl.Records(t.Context(), tbl.Range("at", 10, 13))), 10, 13)
			wantPairs(t, all(t, tbl.Lookup(t.Context(), 5, 6)), 5, 7)
			report, err := tbl.Verify(t.Context())
			if ok(t, err); !report.OK() {
				t.Errorf("found %+v", report)
			}
			deleteSome(t, tbl)
			walk.Walk(t, rdb, name, "at")
		})
	}
}

// deleteSome deletes as a whole and by pages, with a predicate that spoils what it is shown, while others write.
func deleteSome(t *testing.T, tbl *table.Table[pair, int64]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	writes := 0
	spoil := func(p *pair) bool {
		clear(p.A)
		if writes++; writes%7 == 1 {
			ok(t, tbl.Put(ctx, pair{ID: 0}))
		}
		return true
	}
	for _, c := range []struct {
		spec table.Spec[pair]
		want int
	}{{tbl.Range("at", 10, 13), 3}, {tbl.Range("at", 13, 1000), 87}} {
		n, err := tbl.Delete(ctx, c.spec.Where(spoil))
		if ok(t, err); n != c.want {
			t.Errorf("%d were deleted, want %d", n, c.want)
		}
	}
	n, err := tbl.ScratchDiscard(ctx, tbl.Range("at", 1, 10).Where(func(p *pair) bool { clear(p.A); return true }))
	if ok(t, err); n != 9 {
		t.Errorf("%d were discarded, want 9", n)
	}
}

func wantPairs(t *testing.T, got []pair, from, to int64) {
	t.Helper()
	want := pairs(to)[from:]
	if len(got) != len(want) {
		t.Errorf("%d records, want %d", len(got), len(want))
		return
	}
	for i, b := range got {
		if b.ID != want[i].ID || string(b.A) != string(want[i].A) || string(b.B) != string(want[i].B) {
			t.Errorf("got %+v, want %+v", b, want[i])
		}
	}
}
