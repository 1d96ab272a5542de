// Package walk checks the raw keys of a table in Redis against what every table must be at every moment.
//
// It reads the keys itself, in one transaction, and shares no code with the table: a test ends with Walk so that a
// stale index entry, a lost row or a wrong count fails it even where every answer was right.
package walk
