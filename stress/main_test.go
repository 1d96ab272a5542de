package stress

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

// full is the run that RELIABILITY section 5 sets its figures for.
const full = 10 * time.Minute

// What several tests add to.
var readsMade, mergesSpanned atomic.Int64

// session is one run of this package's tests: set up by TestMain, then only read, but for figures.
var session struct {
	duration time.Duration
	seed     uint64
	figures  Figures
}

func TestMain(m *testing.M) {
	flag.DurationVar(&session.duration, "stress.duration", 90*time.Second, "how long all tests together take, about; at 10m figures below their targets fail")
	flag.Uint64Var(&session.seed, "stress.seed", 0, "seed to replay; 0 draws one")
	flag.Parse()
	if session.seed == 0 {
		session.seed = 1 + rand.Uint64N(1<<48)
	}
	fmt.Printf("stress: -stress.seed=%d -stress.duration=%v\n", session.seed, session.duration)
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxiproxy's, and the client's, logs of faults that are meant
	redis.SetLogger(silent{})
	// A toxic that is removed while its connection closes may wait for ever for somebody to take a last piece.
	code := redistest.Main(m, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
	if all := flag.Lookup("test.run").Value.String() == ""; all && code == 0 {
		n := readsMade.Load()
		figure("reads checked: none torn, mixed or stale", float64(n), 300_000)
		figure("merges spanned by reads", float64(mergesSpanned.Load()), 20_000)
	}
	fmt.Print(session.figures.Table())
	if missed := session.figures.Missed(); len(missed) > 0 && code == 0 {
		fmt.Println("stress: below the volume asked for:", missed)
		code = 1
	}
	os.Exit(code)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// until returns when a test that takes this share of the session must stop, counted from now.
func until(share float64) time.Time {
	return time.Now().Add(time.Duration(share * float64(session.duration)))
}

// figure notes what a test has reached of its share of a full run.
func figure(name string, ours, target float64) {
	floor := target
	if session.duration < full { // a shortened run on a busy machine only shows that it did something
		target *= float64(session.duration) / float64(full)
		floor = target / 20
	}
	session.figures.Add(Figure{Name: name, Ours: ours, Target: target, Floor: floor})
}

// Shares of the session: the tests run one after the other, since each of them takes the whole machine.
const (
	modelShare  = 0.27
	linearShare = 0.25
	loadShare   = 0.13
	spanShare   = 0.04
	faultShare  = 0.28
	takeShare   = 0.03
)

// source returns the random numbers of one test, or of one part of it.
func source(part uint64) *rand.Rand { return rand.New(rand.NewPCG(session.seed, part)) }

// save writes a failing history down and returns where it is.
func save(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("stress-%s-%d.txt", name, session.seed))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Errorf("the history could not be saved: %v", err)
		return
	}
	t.Logf("the history is in %s; replay with -stress.seed=%d", path, session.seed)
}
