// Package layout describes every byte that a table keeps in Redis: the names of its keys, the fields of its truth, what a row is,
// how a score is written. It imports none of our packages, and has no state.
//
// # Files
//
//	difference.go  why a stored schema does not fit a definition
//	entry.go       an entry of the feed
//	evolve.go      what becomes of a stored schema under a definition that fits it
//	hash.go        how a primary key appears in errors and logs
//	keys.go        the names of a table's keys, and which names are allowed
//	position.go    how far a table has come, and the owners before
//	row.go         the generation in front of a row, what is absent in one, and tombstones
//	schema.go      a definition as it is stored, and its hash, which answers bring as a proof
//	score.go       scores and intervals as text
//	truth.go       the fields of the truth, and the epoch of an owner
package layout
