package table

import (
	"math"

	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

func effectKindOf(k layout.Kind) EffectKind {
	switch k {
	case layout.KindPut:
		return EffectPut
	case layout.KindDelete:
		return EffectDelete
	case layout.KindStage:
		return EffectStage
	case layout.KindDiscard:
		return EffectDiscard
	case layout.KindMerge:
		return EffectMerge
	case layout.KindAbort, layout.KindClaim:
		return EffectAbort
	case layout.KindApply:
		return EffectApply
	}
	return EffectClear
}

func (s *sink[R, K]) rowsOf(e *feed.Entry) ([]Row[R, K], error) {
	found, err := e.Rows(s.indexes)
	if err != nil {
		return nil, err
	}
	rows, scores := make([]Row[R, K], len(found)), s.newScores(len(found))
	for i, f := range found {
		own := scores(i)
		for j, at := range s.scores {
			if own[j] = math.NaN(); at >= 0 && at < s.complete {
				own[j] = f.Score(at)
			}
		}
		rows[i] = s.row(f.Key, f.Row, own)
	}
	return rows, nil
}

func (s *sink[R, K]) keysOf(e *feed.Entry) ([]Row[R, K], error) {
	keys, err := e.Keys()
	if err != nil {
		return nil, err
	}
	rows := make([]Row[R, K], len(keys))
	for i, key := range keys {
		rows[i].KeyBytes = key
		rows[i].Key, rows[i].Err = s.decodeKey(key)
	}
	return rows, nil
}

// caught calls f, and returns a panic as ErrPanic.
func caught(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return f()
}
