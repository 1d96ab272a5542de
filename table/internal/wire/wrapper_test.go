package wire

import (
	"reflect"
	"testing"

	"github.com/redis/go-redis/v9"
)

// A decorator that writes every method out has its client by name. Here are no methods: only fields count.
type decorator struct {
	name string
	base redis.UniversalClient
}

type both struct {
	*redis.Client
	other *redis.Ring // for something else
}

type loop struct {
	redis.Cmdable
}

func TestP3_TheClientInAWrapperIsFound(t *testing.T) {
	t.Parallel()
	ring, client := new(redis.Ring), new(redis.Client)
	ends := &loop{}
	ends.Cmdable = ends
	for what, c := range map[string]struct {
		wrapper any
		want    []any
	}{
		"by name":                  {&decorator{"x", ring}, []any{ring}},
		"by name, twice":           {&decorator{"x", &embedded{&embedded{ring}}}, []any{ring}},
		"one for something else":   {both{client, ring}, []any{client}},
		"nothing by name":          {decorator{}, []any{nil}},
		"of another make":          {struct{ n int }{1}, nil},
		"one that is its own base": {ends, nil},
	} {
		if got := appendClients(nil, reflect.ValueOf(c.wrapper), 0); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", what, got, c.want)
		}
	}
}

type embedded struct{ redis.UniversalClient }
