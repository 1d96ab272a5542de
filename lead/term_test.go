package lead

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// lent is a term whose lease ends when it is told to.
type lent struct {
	mu     sync.Mutex // guards until and err
	until  time.Time
	err    error
	done   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func lend(d time.Duration) *lent {
	return &lent{until: time.Now().Add(d), done: make(chan struct{}), closed: make(chan struct{})}
}

func (l *lent) Done() <-chan struct{} { return l.done }
func (l *lent) Holder() string        { return "me" }
func (l *lent) Close() error          { l.once.Do(func() { close(l.closed) }); return nil }

func (l *lent) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *lent) LeasedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

func (l *lent) renew(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Now().Add(d)
}

func (l *lent) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	close(l.done)
}

func (l *lent) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// serving returns a candidate that does nothing but this work.
func serving(work func(context.Context, term) error) *candidate {
	return &candidate{logger: zap.NewNop(), length: 5 * time.Second, work: work}
}

// untilEnd is work that ends with its context, and returns an error of its own.
func untilEnd(ctx context.Context, _ term) error {
	<-ctx.Done()
	return errors.New("mine")
}

// The context of work ends at the moment to which the lease was renewed last, and no earlier.
func TestL1_WorkEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, begin := lend(5*time.Second), time.Now()
		time.AfterFunc(2*time.Second, func() { l.renew(5 * time.Second) })
		time.AfterFunc(6*time.Second, func() { l.renew(3 * time.Second) })
		end := serving(untilEnd).serve(t.Context(), l)
		if took := time.Since(begin); took != 9*time.Second || end.own || !errors.Is(end.err, errRanOut) {
			t.Errorf("it ended after %v: %+v", took, end)
		}
		if !l.isClosed() {
			t.Error("the table is open")
		}
	})
}

// The context of work ends with the ownership, and says why.
func TestL1_WorkEndsWithTheOwnership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, begin := lend(5*time.Second), time.Now()
		time.AfterFunc(time.Second, func() { l.end(table.ErrFenced) })
		end := serving(func(ctx context.Context, _ term) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}).serve(t.Context(), l)
		if took := time.Since(begin); took != time.Second || end.own || !errors.Is(end.err, table.ErrFenced) {
			t.Errorf("it ended after %v: %+v", took, end)
		}
	})
}

// What work returns while its context lives is of its own accord; after that it is not, though the guard may not have noticed.
func TestL1_OwnAccord(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		work func(*lent) error
		own  bool
		want error
	}{
		"an error":            {func(*lent) error { return mine }, true, mine},
		"nil":                 {func(*lent) error { return nil }, true, nil},
		"fenced, unnoticed":   {func(l *lent) error { l.end(table.ErrFenced); return table.ErrFenced }, false, table.ErrFenced},
		"ran out, unnoticed":  {func(l *lent) error { l.renew(0); return mine }, false, errRanOut},
		"a panic":             {func(*lent) error { panic("secret") }, true, table.ErrPanic},
		"a panic when fenced": {func(l *lent) error { l.end(table.ErrFenced); panic("secret") }, true, table.ErrPanic},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := lend(5 * time.Second)
				end := serving(func(context.Context, term) error { return c.work(l) }).serve(t.Context(), l)
				if end.own != c.own || !errors.Is(end.err, c.want) || !l.isClosed() {
					t.Errorf("ended with %+v", end)
				}
			})
		})
	}
}

// The table is not closed before work has returned.
func TestL1_TheTableIsOpenWhileWorkEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := lend(time.Minute)
		time.AfterFunc(time.Second, cancel)
		end := serving(func(ctx context.Context, _ term) error {
			<-ctx.Done()
			<-time.After(3 * time.Second)
			if l.isClosed() {
				t.Error("the table was closed while work was ending")
			}
			return nil
		}).serve(ctx, l)
		if end.own || !errors.Is(end.err, context.Canceled) || !l.isClosed() {
			t.Errorf("ended with %+v", end)
		}
	})
}

// Who was fenced looks at the table again after one lease, and not before; who has lost its lease looks at once.
func TestL1_TheFencedStaysOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var looks []time.Duration
		begin := time.Now()
		c := serving(func(ctx context.Context, l term) error {
			switch len(looks) {
			case 1:
				l.(*lent).end(table.ErrFenced)
			case 2:
				l.(*lent).renew(0)
			case 3:
				cancel()
			}
			<-ctx.Done()
			return nil
		})
		c.stored = func(context.Context) (table.Lease, error) { return table.Lease{}, nil }
		c.open = func(context.Context) (term, error) {
			looks = append(looks, time.Since(begin))
			return lend(time.Minute), nil
		}
		end := c.run(ctx)
		if len(looks) != 3 || looks[1] != c.length || looks[2]-looks[1] > time.Minute || !errors.Is(end.err, context.Canceled) {
			t.Errorf("looked at %v, ended with %+v", looks, end)
		}
	})
}

// What waiting does not cure ends Run, and what it may cure does not.
func TestL1_ErrorsOfOpening(t *testing.T) {
	for err, lasts := range map[error]bool{
		table.ErrSchemaMismatch: true, table.ErrUnsafeClient: true, table.ErrLost: true, table.ErrInvalidDefinition: true,
		table.ErrReplica: false, table.ErrUnknownOutcome: false, errors.New("dial"): false, table.ErrHeld: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			tries := 0
			c := serving(untilEnd)
			c.stored = func(context.Context) (table.Lease, error) { return table.Lease{}, nil }
			c.open = func(context.Context) (term, error) { tries++; return nil, err }
			end := c.run(ctx)
			if lasts != (tries == 1) || lasts != errors.Is(end.err, err) || !lasts && !errors.Is(end.err, context.DeadlineExceeded) {
				t.Errorf("%v: %d tries, ended with %+v", err, tries, end)
			}
		})
	}
}
