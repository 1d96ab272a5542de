package table

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
)

// pump is the goroutine behind a long read. It fetches pages of one pinned snapshot ahead of the
// consumer: two, or, when a write waits for the pin, as many as the table's snapshot memory
// allows, so as to let the pin go soon and feed the consumer from memory.
type pump struct {
	fetch  func(context.Context, cursor) (*page, error)
	pin    *engine.Pin
	closed <-chan struct{} // the table's
	memory *budget
	next   cursor
	out    chan *page // written and closed by run, read by the consumer
	err    error      // why the pages ended early; written before out is closed

	queue    []*held
	fetched  chan result // nil while nothing is being fetched
	finished bool        // no page is left to fetch
	hurried  bool
}

// held is a page that waits for the consumer. Two pages wait for free, others take a grant.
type held struct {
	*page
	grant *grant
}

type result struct {
	page *page
	err  error
}

const freePages = 2

// rowOverhead is about what a row takes in memory beside its bytes.
const rowOverhead = 64

func (h *held) size() int64 { return int64(h.bytes + rowOverhead*len(h.rows)) }

// run ends when all pages are delivered, the snapshot ends, or ctx does.
func (m *pump) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer close(m.out)
	defer m.drop(cancel)
	for !m.finished || len(m.queue) > 0 {
		m.maybeFetch(ctx)
		if m.err = m.step(ctx); m.err != nil {
			return
		}
	}
}

// step waits for one thing to happen.
func (m *pump) step(ctx context.Context) error {
	head, out := m.head()
	select {
	case out <- head:
		m.shift()
	case r := <-m.fetched:
		return m.handleFetched(r)
	case <-m.hurry():
		m.hurried = true
	case <-m.granted():
	case <-m.expired():
		return m.pin.Err()
	case <-m.closed:
		return ErrClosed
	case <-ctx.Done():
		return ended(ctx)
	}
	return nil
}

// maybeFetch starts on the next page if it would have a place.
func (m *pump) maybeFetch(ctx context.Context) {
	if m.finished || m.fetched != nil || !m.room() {
		return
	}
	fetched := make(chan result, 1)
	m.fetched = fetched
	next := m.next
	go func() {
		p, err := m.fetch(ctx, next)
		fetched <- result{p, err}
	}()
}

func (m *pump) handleFetched(r result) error {
	m.fetched = nil
	if err := m.pin.Err(); err != nil {
		return err // the page is of no snapshot: the fold may have begun
	}
	if r.err != nil {
		return r.err
	}
	if len(r.page.rows) > 0 {
		m.queue = append(m.queue, &held{page: r.page})
	}
	m.next, m.finished = r.page.next, r.page.last
	if m.finished {
		m.pin.Release()
	}
	return nil
}

// room tells whether one more page may wait; in a hurry it asks for the memory it takes.
func (m *pump) room() bool {
	free := 0
	for _, h := range m.queue {
		if h.grant == nil || !h.grant.had() {
			free++
		}
	}
	if free < freePages {
		return true
	}
	if last := m.queue[len(m.queue)-1]; m.hurried && last.grant == nil {
		last.grant = m.memory.request(last.size())
		return last.grant.had()
	}
	return false
}

func (m *pump) head() (*page, chan<- *page) {
	if len(m.queue) == 0 {
		return nil, nil
	}
	return m.queue[0].page, m.out
}

func (m *pump) shift() {
	m.giveBack(m.queue[0])
	m.queue = m.queue[1:]
}

func (m *pump) giveBack(h *held) {
	if h.grant != nil {
		m.memory.giveBack(h.grant)
	}
}

// drop lets go of all that is held, and abandons a page under way.
func (m *pump) drop(cancel context.CancelFunc) {
	cancel()
	if m.fetched != nil {
		<-m.fetched // at once: a cancelled question does not wait for Redis
	}
	for _, h := range m.queue {
		m.giveBack(h)
	}
	m.queue = nil
	m.pin.Release()
}

func (m *pump) hurry() <-chan struct{} {
	if m.hurried || m.finished {
		return nil
	}
	return m.pin.Hurry()
}

func (m *pump) expired() <-chan struct{} {
	if m.finished {
		return nil
	}
	return m.pin.Expired()
}

// granted is ready when memory that was waited for has been given.
func (m *pump) granted() <-chan struct{} {
	for _, h := range m.queue { // the budget serves in order: the first comes first
		if h.grant != nil && !h.grant.had() {
			return h.grant.ready
		}
	}
	return nil
}
