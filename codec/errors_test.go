package codec_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

// No error tells what it is about: neither text, nor digits, nor bytes of the value.
func TestErrorsHoldNoData(t *testing.T) {
	t.Parallel()
	const secret = "SECRET"
	srcs := []string{secret, "SECRET\xff", "\x02SECRET", "\x01SECRET\xff", "\x00SECRET", "\x00\x06SECRET\xff", `{"Name":SECRET}`, `{"Name":"SECRET`,
		`{"SECRET":"SECRET"}x`, "\x06SECRET", "777777777777777777777777", "7.77777777777777777777777", "1e77777"}
	for _, c := range all {
		for _, src := range srcs {
			if err := c.settle([]byte(src)); err != nil {
				mustNotTell(t, c.name, err, secret, "77777", "83", "53")
			}
		}
	}
}

// The causes that JSON and UnmarshalText tell of quote what they were given.
func TestCausesAreNotQuoted(t *testing.T) {
	t.Parallel()
	_, errNumber := codec.JSON[int8]().Decode([]byte("77777"))
	_, errSyntax := codec.JSON[int8]().Decode([]byte("§"))
	_, errText := codec.Text[secretive]().Decode([]byte("SECRET"))
	for _, err := range []error{errNumber, errSyntax, errText} {
		if !errors.Is(err, codec.ErrData) {
			t.Errorf("%v is no ErrData", err)
			continue
		}
		mustNotTell(t, "Decode", err, "77777", "Â", "SECRET")
	}
}

func TestValueErrorsHoldNoData(t *testing.T) {
	t.Parallel()
	_, errString := codec.String.Append(nil, "SECRET\xff")
	_, errArray := codec.Array(codec.String).Append(nil, []string{"SECRET\xff"})
	_, errLong := codec.Array(codec.String).Append(nil, []string{strings.Repeat("SECRET", 20_000)})
	_, errStruct := columnsCodec().Append(nil, columns{Site: "SECRET\xff"})
	_, errBig := codec.BigIntAsString.Append(nil, new(big.Int).Exp(big.NewInt(7), big.NewInt(20_000), nil))
	_, errJSON := codec.JSON[secretive]().Append(nil, secretive{})
	_, errText := codec.Text[secretive]().Append(nil, secretive{})
	for _, err := range []error{errString, errArray, errLong, errStruct, errBig, errJSON, errText} {
		if !errors.Is(err, codec.ErrValue) {
			t.Errorf("%v is no ErrValue", err)
			continue
		}
		mustNotTell(t, "Append", err, "SECRET", "77777")
	}
}

func mustNotTell(t *testing.T, who string, err error, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(err.Error(), s) {
			t.Errorf("%s tells data: %v", who, err)
		}
	}
}
