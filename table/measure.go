package table

import (
	"fmt"
	"hash/fnv"
	"slices"
)

// Score returns the score that an index gives a record. The errors are ErrUnknownIndex, and those of Put: a *CodingError that Is ErrPanic
// where the function panics (so does the one that By(name, nil) lacks), and codec.ErrValue where the score is NaN.
func (d *Definition[R, K]) Score(index string, r *R) (float64, error) {
	i, err := d.indexNamed(index)
	if err != nil {
		return 0, err
	}
	score, err := d.Indexes[i].of(r)
	if err != nil {
		return 0, &CodingError{Table: d.Name, Index: index, Key: d.hashOf(r), Err: asValueError(err)}
	}
	return score, nil
}

// KeyOf returns the primary key of a record. If the function that tells it panics, the error is a *CodingError that Is ErrPanic.
func (d *Definition[R, K]) KeyOf(r *R) (key K, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &CodingError{Table: d.Name, Err: panicked(p)}
		}
	}()
	return d.PrimaryKey.of(r), nil
}

// Size returns how many bytes a record takes as it is stored: its encoded key, and its row. What indexes take is not counted. The errors
// are those of Put.
func (d *Definition[R, K]) Size(r *R) (int, error) {
	e := encoder[R, K]{def: d}
	if err := e.addStored(r, 0); err != nil {
		return 0, err
	}
	return len(e.buf), nil
}

// IsUnstored tells whether an index of the definition is Unstored: Score is right then only of records as they were before they were stored.
func (d *Definition[R, K]) IsUnstored(index string) bool {
	return slices.ContainsFunc(d.Indexes, func(x Index[R]) bool { return x.name == index && x.unstored })
}

// Fingerprint returns a number that stands for what of a record is stored, and for the version of an index: the key's codec, and the names and
// codecs of the attributes in whatever order. Definitions that differ in that have different ones, but for a chance of 2^-64. It is the same in every
// process.
func (d *Definition[R, K]) Fingerprint(index string) uint64 {
	parts := make([]string, 0, len(d.Attributes)+1)
	for _, a := range d.Attributes {
		parts = append(parts, fmt.Sprintf("%q %q", a.name, a.kind))
	}
	slices.Sort(parts)
	if i := slices.IndexFunc(d.Indexes, func(x Index[R]) bool { return x.name == index }); i >= 0 {
		parts = append(parts, fmt.Sprintf("%q %d", index, d.Indexes[i].version))
	}
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%q %q", d.PrimaryKey.kind, parts)
	return hash.Sum64()
}

// hashOf returns the hash of a record's key; empty if it has none.
func (d *Definition[R, K]) hashOf(r *R) string {
	key, err := d.KeyOf(r)
	if err != nil {
		return ""
	}
	return d.keyHash(key)
}
