package codec

import (
	"fmt"
	"reflect"
	"strings"
)

// Named returns the codec whose String is name, for programs that do not know the type of what they read: the value has the type of
// that codec, so that "int64" decodes to an int64, "array(int64)" to a []int64 and "nullable(int64)" to a *int64. ok is false for
// names that are not of this package, and for codecs of types that only their users know: JSON, Text and Struct.
func Named(name string) (c Codec[any], ok bool) {
	d := named(name)
	if d.Codec == nil {
		return nil, false
	}
	return d, true
}

// dynamic is a codec of any values that have one type.
type dynamic struct {
	Codec[any]
	of   reflect.Type
	name string
}

func (d dynamic) String() string { return d.name }

// named returns the codec with this name; the zero value if there is none.
func named(name string) dynamic {
	if inner, ok := within(name, "nullable("); ok {
		return nullableOf(named(inner))
	}
	if inner, ok := within(name, "array("); ok {
		return arrayOf(named(inner))
	}
	for _, d := range []dynamic{
		dynamicOf(Bool), dynamicOf(String), dynamicOf(Bytes), dynamicOf(Float32), dynamicOf(Float64),
		dynamicOf(Int8), dynamicOf(Int16), dynamicOf(Int32), dynamicOf(Int64),
		dynamicOf(Uint8), dynamicOf(Uint16), dynamicOf(Uint32), dynamicOf(Uint64),
		dynamicOf(IntAsString), dynamicOf(BigIntAsString), dynamicOf(FloatAsString),
		dynamicOf(UUID), dynamicOf(UTCDatetime), dynamicOf(Time),
	} {
		if d.name == name {
			return d
		}
	}
	return dynamic{}
}

// within returns what stands between a prefix and the last parenthesis.
func within(name, prefix string) (inner string, ok bool) {
	inner, ok = strings.CutPrefix(name, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, ")")
}

func dynamicOf[T any](c Codec[T]) dynamic {
	return dynamic{Codec: anyCodec[T]{c}, of: reflect.TypeFor[T](), name: nameOf(c)}
}

// anyCodec is a codec of one type, for values whose type is not known before.
type anyCodec[T any] struct{ of Codec[T] }

func (c anyCodec[T]) Append(dst []byte, v any) ([]byte, error) {
	typed, ok := v.(T)
	if !ok {
		return dst, fmt.Errorf("%w: a %T where a %v belongs", ErrValue, v, reflect.TypeFor[T]())
	}
	return c.of.Append(dst, typed)
}

func (c anyCodec[T]) Decode(src []byte) (any, error) {
	v, err := c.of.Decode(src)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// nullableOf and arrayOf make the codecs of pointers to, and of slices of, a type that is only known while the program runs.

func nullableOf(inner dynamic) dynamic {
	if inner.Codec == nil {
		return dynamic{}
	}
	d := dynamic{of: reflect.PointerTo(inner.of), name: nameOf(Nullable[any](inner))}
	d.Codec = converted[*any]{Nullable[any](inner), d.of, func(p reflect.Value) *any {
		if p.IsNil() {
			return nil
		}
		v := p.Elem().Interface()
		return &v
	}, func(p *any) reflect.Value {
		if p == nil {
			return reflect.Zero(d.of)
		}
		v := reflect.New(inner.of)
		v.Elem().Set(reflect.ValueOf(*p))
		return v
	}}
	return d
}

func arrayOf(inner dynamic) dynamic {
	if inner.Codec == nil {
		return dynamic{}
	}
	d := dynamic{of: reflect.SliceOf(inner.of), name: nameOf(Array[any](inner))}
	d.Codec = converted[[]any]{Array[any](inner), d.of, func(s reflect.Value) []any {
		all := make([]any, s.Len())
		for i := range all {
			all[i] = s.Index(i).Interface()
		}
		return all
	}, func(all []any) reflect.Value {
		s := reflect.MakeSlice(d.of, len(all), len(all))
		for i, v := range all {
			s.Index(i).Set(reflect.ValueOf(v))
		}
		return s
	}}
	return d
}

// converted is a codec of T, for values of the type of.
type converted[T any] struct {
	codec Codec[T]
	of    reflect.Type
	from  func(reflect.Value) T
	to    func(T) reflect.Value
}

func (c converted[T]) Append(dst []byte, v any) ([]byte, error) {
	if reflect.TypeOf(v) != c.of {
		return dst, fmt.Errorf("%w: a %T where a %v belongs", ErrValue, v, c.of)
	}
	return c.codec.Append(dst, c.from(reflect.ValueOf(v)))
}

func (c converted[T]) Decode(src []byte) (any, error) {
	v, err := c.codec.Decode(src)
	if err != nil {
		return nil, err
	}
	return c.to(v).Interface(), nil
}
