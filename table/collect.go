package table

import "iter"

// Collect returns all records that a sequence yields, in order. At the first error, also the *CodingError of one record, it stops
// and returns that error with the records before it. For an empty sequence it returns nil.
func Collect[R any](seq iter.Seq2[R, error]) ([]R, error) {
	var all []R
	for r, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}
