package stress

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A full run goes on until its volume is done, even if that takes longer than a shortened run would.
func TestAFullRunGoesOnUntilItsVolumeIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &run{full: true, duration: time.Second, end: time.Now().Add(longest)}
		p := r.begin(t, "steps", 100, 1)
		p.reach(99)
		<-time.After(longest - time.Second) // by the bubble's clock
		if p.isOver() {
			t.Error("it stops below its volume")
		}
		p.reach(100)
		p.reach(98) // of a goroutine that was overtaken
		if !p.isOver() || p.reached() != 100 {
			t.Errorf("it goes on after its volume, at %v", p.reached())
		}
	})
}

// A full run that is too slow ends, and says what is missing.
func TestAFullRunThatIsTooSlowNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := &run{full: true}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		r.end = begun.Add(longest)
		slow := r.begin(t, "slow", 100, 0.1)
		slow.reach(16)
		r.begin(t, "quick", 5, 0.1).reach(6)
		<-slow.over()
		if took := time.Since(begun); took != longest {
			t.Errorf("it ended after %v", took)
		}
	})
	if missed := r.figures.Missed(); !slices.Equal(missed, []string{"slow: 16 of 100"}) {
		t.Errorf("missing: %q", missed)
	}
}

// A shortened run goes on for its time, whatever it has done, and must have done a twentieth of its share.
func TestAShortenedRunGoesOnForItsTime(t *testing.T) {
	t.Parallel()
	r := &run{duration: time.Minute}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		r.end = begun.Add(longest)
		r.begin(t, "idle", 1000, 0.5).reach(4)
		much := r.begin(t, "much", 1000, 0.5)
		much.reach(5000)
		<-much.over()
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("half of a minute took %v", took)
		}
	})
	if missed := r.figures.Missed(); !slices.Equal(missed, []string{"idle: 4 of 5"}) {
		t.Errorf("missing: %q", missed)
	}
}
