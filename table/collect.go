package table

import "iter"

// Collect returns all that a sequence yields, in order. It stops at the first error, be it a *CodingError of one record, and
// returns it with what came before. An empty sequence is nil.
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
