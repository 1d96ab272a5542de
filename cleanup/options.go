package cleanup

import (
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

const (
	defaultWorkers = 2
	defaultFirst   = 10 * time.Millisecond
	defaultMost    = time.Second
	defaultPace    = 0.05
)

// Option changes a pool: see the With functions.
type Option func(*settings)

type settings struct {
	log         *zap.Logger
	first, most time.Duration
	pace        float64
}

func newSettings(opts []Option) settings {
	s := settings{log: zap.NewNop(), first: defaultFirst, most: defaultMost, pace: defaultPace}
	for _, o := range opts {
		o(&s)
	}
	return s
}

// WithLogger sets where failed steps are logged: the job's name, the error, the wait. Default: nowhere.
func WithLogger(log *zap.Logger) Option {
	return func(s *settings) {
		if log != nil {
			s.log = log
		}
	}
}

// WithBackoff sets the wait after a failed step: a random time below first, and below twice the former bound after each
// further failure, but never above most. Default: 10 ms and 1 s; values of zero or less mean the default, and most is
// at least first.
func WithBackoff(first, most time.Duration) Option {
	return func(s *settings) {
		if first > 0 {
			s.first = first
		}
		if most > 0 {
			s.most = most
		}
		s.most = max(s.first, s.most)
	}
}

// WithPace sets how long a table rests after a batch: ratio times the duration of that batch; rests of less than 2 ms are
// saved up. Default: 0.05; zero, less or NaN: no rest.
func WithPace(ratio float64) Option {
	return func(s *settings) {
		s.pace = 0
		if ratio > 0 {
			s.pace = ratio
		}
	}
}

// shortest is the shortest rest that is taken. A timer is late by up to a millisecond: shorter rests would last far longer
// than they are meant to, so they are saved up.
const shortest = 2 * time.Millisecond

// rest is how long a task waits after a step that took so long.
func (s *settings) rest(t *Task, took time.Duration) time.Duration {
	t.owed += time.Duration(s.pace * float64(took))
	rest := time.Duration(0)
	if t.owed >= shortest {
		rest, t.owed = t.owed, 0
	}
	if failures := t.status.Failures; failures > 0 {
		rest = max(rest, rand.N(s.backoff(failures)))
	}
	return rest
}

// backoff is the bound of the random wait after so many failures in a row.
func (s *settings) backoff(failures int) time.Duration {
	bound := s.first
	for i := 1; i < failures && bound < s.most; i++ {
		bound *= 2
	}
	return min(bound, s.most)
}
