package wire

import (
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"
)

// clientsIn returns the go-redis clients in c: c itself, or, if c is a wrapper, the clients that it hands its calls to. A client that
// is nil comes as nil. If c is something else, there is none.
func clientsIn(c redis.UniversalClient) []any { return appendClients(nil, reflect.ValueOf(c), 0) }

// deepest bounds how many wrappers are unwrapped, because a wrapper may hold itself.
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
		return append(all, reflect.NewAt(v.Type().Elem(), v.UnsafePointer()).Interface()) // works for a field that is not exported, too
	case isOfGoRedis(v.Type()):
		return append(all, reflect.New(v.Type()).Interface()) // the wrapper holds a struct, not a pointer: no constructor has made this client
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

// clientFields returns the fields to which a wrapper hands its calls: the clients that it embeds, or, if it embeds none, those in its
// other fields.
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

// isClient tells whether a field has the methods of a client.
func isClient(field reflect.Value) bool {
	commands := reflect.TypeFor[redis.Cmdable]()
	t := field.Type()
	return t.Implements(commands) || reflect.PointerTo(t).Implements(commands)
}

// defaultReadTimeout is the read time-out of go-redis if none is set.
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
