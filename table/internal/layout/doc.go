// Package layout holds every byte that a table keeps in Redis: the names of its keys, the fields of its truth, what a row is,
// how a score is written. It is a leaf: it imports none of our packages, and asks nobody anything.
//
// # Files
//
//	difference.go  how a stored schema differs from the one that is wanted
//	hash.go        how a primary key appears in errors and logs
//	keys.go        the names of a table's keys, and which names are allowed
//	row.go         the generation in front of a row, and tombstones
//	schema.go      the fingerprint of a definition, and the proof of it that answers bring
//	score.go       scores and intervals as text
//	truth.go       the fields of the truth, and the epoch of an owner
package layout
