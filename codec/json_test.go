package codec_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

type document struct {
	Name string
	Tags []string `json:",omitempty"`
}

func TestJSON(t *testing.T) {
	t.Parallel()
	conformance[document]{
		codec:    codec.JSON[document](),
		name:     "json(codec_test.document)",
		good:     []pair[document]{{document{Name: "é"}, `{"Name":"é"}`}, {document{"a", []string{"b"}}, `{"Name":"a","Tags":["b"]}`}},
		alsoGood: []pair[document]{{document{Name: "a"}, ` { "Name" : "a", "Other": 1 } `}, {document{}, `{}`}},
		badBytes: []string{"", "{", "{} {}", "{}x", "{}\x00", `{"Name":1}`, `{"Name":"a"`, "{\"Name\":\"\xff\"}", `{"Name":"a","Tags":[1]}`, "nul"},
	}.check(t)
	conformance[map[string]any]{
		codec:     codec.JSON[map[string]any](),
		name:      "json(map[string]interface {})",
		good:      []pair[map[string]any]{{map[string]any{"b": 1.5, "a": nil}, `{"a":null,"b":1.5}`}, {nil, "null"}},
		badValues: []map[string]any{{"f": func() {}}, {"nan": math.NaN()}},
		badBytes:  []string{"[]", strings.Repeat("[", 20_000)},
	}.check(t)
}

type secretive struct{}

func (secretive) MarshalJSON() ([]byte, error) { return nil, errors.New("SECRET") }

func (secretive) MarshalText() ([]byte, error) { return nil, errors.New("SECRET") }

func (*secretive) UnmarshalText([]byte) error { return errors.New("SECRET") }
