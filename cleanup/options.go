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

// WithBackoff sets how long a task waits after a failed step: a random time below a bound. The bound is first, and doubles
// with each further failure, up to most. Default: 10 ms and 1 s. A value of zero or less means the default; a most below first
// means first.
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

// WithPace sets how long a table pauses after a step: ratio times the duration of that step. Pauses of less than 2 ms are
// added up until they are that long. Default: 0.05. Zero, less or NaN means no pause.
func WithPace(ratio float64) Option {
	return func(s *settings) {
		s.pace = 0
		if ratio > 0 {
			s.pace = ratio
		}
	}
}

// minPause is the shortest pause of the pace. A timer is late by up to a millisecond, so a shorter pause would last far longer
// than meant.
const minPause = 2 * time.Millisecond

// takePause returns how long a task must wait after a step that took so long. A pause that is too short to be taken now is
// added to t.owedPause.
func (s *settings) takePause(t *Task, took time.Duration) time.Duration {
	t.owedPause += time.Duration(s.pace * float64(took))
	pause := time.Duration(0)
	if t.owedPause >= minPause {
		pause, t.owedPause = t.owedPause, 0
	}
	if failures := t.status.Failures; failures > 0 {
		pause = max(pause, rand.N(s.backoff(failures)))
	}
	return pause
}

// backoff returns the upper bound of the random wait after so many failures in a row.
func (s *settings) backoff(failures int) time.Duration {
	bound := s.first
	for i := 1; i < failures && bound < s.most; i++ {
		bound *= 2
	}
	return min(bound, s.most)
}
