package wire

import (
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"
)

// clientsIn returns the clients of go-redis that c is or, being a wrapper, hands its calls to. One that is nil is among them as
// nil. There is none when c is of another make.
func clientsIn(c redis.UniversalClient) []any { return appendClients(nil, reflect.ValueOf(c), 0) }

// deepest bounds how far wrappers are unwrapped: one may hold itself.
const deepest = 10

func appendClients(all []any, v reflect.Value, depth int) []any {
	switch {
	case !v.IsValid(), isNilable(v) && v.IsNil():
		return append(all, nil)
	case depth > deepest:
		return all
	case v.Kind() == reflect.Interface:
		return appendClients(all, v.Elem(), depth+1)
	case v.Kind() == reflect.Pointer && isOfGoRedis(v.Type().Elem()):
		return append(all, reflect.NewAt(v.Type().Elem(), v.UnsafePointer()).Interface()) // also from a field that is not exported
	case isOfGoRedis(v.Type()):
		return append(all, reflect.New(v.Type()).Interface()) // a copy of a client: none that a constructor has made
	case v.Kind() == reflect.Pointer:
		return appendClients(all, v.Elem(), depth+1)
	case v.Kind() == reflect.Struct:
		for _, field := range clientFields(v) {
			all = appendClients(all, field, depth+1)
		}
	}
	return all
}

func isOfGoRedis(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[redis.Client]().PkgPath()
}

func isNilable(v reflect.Value) bool {
	return v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface
}

// clientFields returns the fields to which a wrapper hands its calls: clients that it embeds or, where it embeds none, that it
// has by name.
func clientFields(v reflect.Value) []reflect.Value {
	var embedded, named []reflect.Value
	for i := range v.NumField() {
		switch {
		case !isClient(v.Field(i)):
		case v.Type().Field(i).Anonymous:
			embedded = append(embedded, v.Field(i))
		default:
			named = append(named, v.Field(i))
		}
	}
	if len(embedded) > 0 {
		return embedded
	}
	return named
}

// isClient tells whether commands can be called on a field.
func isClient(field reflect.Value) bool {
	commands := reflect.TypeFor[redis.Cmdable]()
	t := field.Type()
	return t.Implements(commands) || reflect.PointerTo(t).Implements(commands)
}

// defaultReadTimeout is that of go-redis.
const defaultReadTimeout = 5 * time.Second

// ReadTimeout returns for how long a client waits for an answer in a socket.
func ReadTimeout(c redis.UniversalClient) (longest time.Duration) {
	for _, c := range clientsIn(c) {
		switch c := c.(type) {
		case *redis.Client:
			longest = max(longest, c.Options().ReadTimeout)
		case *redis.ClusterClient:
			longest = max(longest, c.Options().ReadTimeout)
		}
	}
	if longest == 0 {
		return defaultReadTimeout
	}
	return longest
}
