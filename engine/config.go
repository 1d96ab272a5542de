package engine

import (
	"time"

	"go.uber.org/zap"
)

// Config is how an actor works. The zero value of each field means its default; Start works on a
// copy.
type Config struct {
	Mailbox    int           // how many requests wait in each of the mailboxes; default 1024
	BatchRows  int           // how many rows or marks are joined into one effect at most; default 1,000
	BatchBytes int           // how many bytes are joined at most (one request is never split); default 512 KiB
	Grace      time.Duration // how long an effect waits for a pin at most; default 5 s
	Backoff    Backoff       // the pauses before an effect is sent, or settled, or a fold is requested again
	Tries      int           // how often an effect may fail before it is given up; default 5

	// WriteThrough lets Put, Apply, Update and a Delete by keys run while a scratch session is on. They win over what the session
	// stages for the same keys, before or after: see writtenThrough.
	WriteThrough bool

	Logger *zap.Logger // default: logs nothing. Neither keys nor rows are logged

	// Fold must start folding the staged rows of the generation of a view. The actor's goroutine calls it, so
	// it must not block, nor call the actor. The end of the fold is reported through Actor.Folded;
	// if the fold fails, Fold is called again. The default does nothing: merging then lasts until
	// Folded is called.
	Fold func(View)
}

func (c Config) withDefaults() Config {
	setDefault(&c.Mailbox, 1024)
	setDefault(&c.BatchRows, 1000)
	setDefault(&c.BatchBytes, 512<<10)
	setDefault(&c.Grace, 5*time.Second)
	setDefault(&c.Tries, defaultTries)
	setDefault(&c.Backoff.First, 5*time.Millisecond)
	setDefault(&c.Backoff.Most, 500*time.Millisecond)
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Fold == nil {
		c.Fold = func(View) {}
	}
	return c
}

func setDefault[N int | time.Duration](v *N, otherwise N) {
	if *v <= 0 {
		*v = otherwise
	}
}

// mostRows returns how many rows or marks are joined into one effect of a kind. Regular writes that go on beside a scratch session wait
// for no more than a quarter of a full effect of what it stages.
func (c *Config) mostRows(k Kind) int {
	if c.WriteThrough && k == Stage {
		return max(1, c.BatchRows/4)
	}
	return c.BatchRows
}
