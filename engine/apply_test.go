package engine

import (
	"context"
	"testing"
)

func (r *rig) apply(c Change) *call {
	return r.begin("apply", func(ctx context.Context, _ *call) error { return r.Apply(ctx, c) })
}

// update stores a row under a key where the value that was read is, when the table had a number.
func (r *rig) update(key, read string, at uint64) *call {
	return r.begin("update "+key, func(ctx context.Context, _ *call) error {
		return r.Update(ctx, rows(key)[0], []byte(read), at)
	})
}

// Apply and Update share their effects with nobody.
func TestW3_ApplyAndUpdateGoAlone(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.joins([]string{"put a b", "apply c x", "apply ", "update d d", "update e e", "delete y z", "put f"}, func() {
			r.put("a")
			r.put("b")
			r.apply(Change{Rows: rows("c"), Marks: []Mark{{Key: Bytes("x")}}})
			r.apply(Change{Note: []byte{}})
			r.update("d", "", 4)
			r.update("e", "", 5)
			r.delete(Deletion{Marks: []Mark{{Key: Bytes("y")}}})
			r.delete(Deletion{Marks: []Mark{{Key: Bytes("z")}}})
			r.put("f")
		})
	})
}

// All of a change arrives in one effect.
func TestW3_ApplyIsOneEffect(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.open()
		r.put("old", "stays").gets(nil)
		r.apply(Change{Rows: rows("new"), Marks: []Mark{{Key: Bytes("old")}, {Key: Bytes("none")}}, Note: []byte("n")}).gets(nil)
		r.apply(Change{}).gets(nil)
		if n := len(r.store.effects()); n != 2 {
			t.Errorf("%d effects", n)
		}
		if _, there := r.store.rows["old"]; there || len(r.store.rows) != 2 || r.store.note != "n" {
			t.Errorf("the store has %v, note %q", r.store.rows, r.store.note)
		}
	})
}

// An update is compared unless nothing has happened since the row was read. If that has changed, nothing was done and the number is
// free.
func TestW3_UpdateIsConditional(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.open()
		r.put("k").gets(nil)
		value := r.store.rows["k"]
		r.update("k", "anything", 1).gets(nil)
		r.update("k", "something else", 1).gets(ErrChanged)
		r.update("none", value, 1).gets(ErrChanged)
		r.update("k", value, 1).gets(nil)
		r.put("k").gets(nil)
		var compared []bool
		for _, e := range r.store.effects() {
			compared = append(compared, e.Compare)
		}
		if len(compared) != 4 || compared[1] || !compared[2] || r.View().Seq != 4 {
			t.Errorf("compared %v, at %d", compared, r.View().Seq)
		}
	})
}

// The answer to an update is lost: it is settled as any other effect.
func TestG9_AnUpdateIsSettled(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		c := r.update("k", "", 0)
		r.storeCall().end(replyLost)
		r.storeCall().end(fine)
		c.gets(nil)
		r.open()
	})
}
