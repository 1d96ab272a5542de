package table

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

// hashOf returns the hash of a record's key; empty if it has none.
func (d *Definition[R, K]) hashOf(r *R) string {
	key, err := d.KeyOf(r)
	if err != nil {
		return ""
	}
	return d.keyHash(key)
}
