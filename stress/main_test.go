package stress

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

// What several tests add to.
var readsMade, mergesSpanned atomic.Int64

// session is the run that all tests are of: set up by TestMain, then only read, but for figures.
var session run

func TestMain(m *testing.M) {
	faulty.Main(map[string]faulty.Role{"reader": readWorlds, "owner": ownWorlds, "candidate": standForOwner})
	flag.BoolVar(&session.full, "stress.full", false, fmt.Sprint("go on until the volume of a full run is done; fail if that takes more than ", longest))
	flag.DurationVar(&session.duration, "stress.duration", 90*time.Second, "how long a run that is not full takes, about")
	flag.Uint64Var(&session.seed, "stress.seed", 0, "seed to replay; 0 draws one")
	flag.Parse()
	if err := flagsAgree(); err != nil {
		fmt.Println("stress:", err)
		os.Exit(2)
	}
	if session.seed == 0 {
		session.seed = 1 + rand.Uint64N(1<<48)
	}
	begun := time.Now()
	session.end = begun.Add(longest)
	fmt.Printf("stress: -stress.seed=%d %s\n", session.seed, length())
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxiproxy's, and the client's, logs of faults that are meant
	redis.SetLogger(silent{})
	// A toxic that is removed while its connection closes may wait for ever for somebody to take a last piece.
	code := redistest.Main(m, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
	if all := flag.Lookup("test.run").Value.String() == ""; all && code == 0 {
		session.note("reads checked: none torn, mixed or stale", float64(readsMade.Load()), 300_000)
		session.note("merges spanned by all reads", float64(mergesSpanned.Load()), 20_000)
	}
	fmt.Print(session.figures.Table())
	if missed := session.figures.Missed(); len(missed) > 0 && code == 0 {
		fmt.Printf("stress: below the volume asked for after %v: %s\n", time.Since(begun).Round(time.Second), strings.Join(missed, "; "))
		code = 1
	}
	os.Exit(code)
}

// flagsAgree returns an error if the flags ask for two things at once, or for a run that cannot be.
func flagsAgree() (err error) {
	if session.duration <= 0 || session.duration > longest {
		return fmt.Errorf("-stress.duration=%v: it must be above 0 and at most %v", session.duration, longest)
	}
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "stress.duration" && session.full {
			err = errors.New("-stress.duration is of a shortened run: leave it out, or -stress.full")
		}
	})
	return err
}

// length returns the flag that asks for a run as long as this one.
func length() string {
	if session.full {
		return "-stress.full"
	}
	return fmt.Sprint("-stress.duration=", session.duration)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// Shares of the duration of a shortened run.
const (
	modelShare   = 0.24
	linearShare  = 0.22
	loadShare    = 0.11
	spanShare    = 0.04
	faultShare   = 0.24
	takeShare    = 0.03
	readersShare = 0.10
	feedShare    = 0.10
	leadShare    = 0.06
	schemaShare  = 0.05
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
