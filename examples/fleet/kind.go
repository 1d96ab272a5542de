package main

// kind is what an answer comes from.
type kind string

const (
	noKind     kind = ""       // a booking
	fromMirror kind = "mirror" // a mirror.Mirror, in memory
	fromReader kind = "reader" // a table.Reader, which asks Redis
)

// kinds returns what the visitor asks for, by turns.
func (o options) kinds() []kind {
	if o.mirror {
		return []kind{fromMirror, fromReader}
	}
	return []kind{fromReader}
}
