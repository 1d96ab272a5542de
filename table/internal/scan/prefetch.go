package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
)

// prefetcher is the goroutine behind a long read. It fetches pages of one pinned snapshot ahead of the consumer: two at most. When a
// write waits for the pin, it fetches as many as the table's snapshot memory allows, so that it can release the pin soon and feed
// the consumer from memory.
type prefetcher struct {
	fetch  func(context.Context, cursor) (*Page, error)
	pin    Pin
	ended  <-chan struct{} // closed when the table ends
	reason func() error    // tells why the table has ended
	memory *budget
	next   cursor
	out    chan *Page // written and closed by run, read by the consumer
	err    error      // why the pages ended early; written before out is closed

	queue    []*held
	fetched  chan fetched // nil while nothing is being fetched
	finished bool         // no page is left to fetch
	hurried  bool
}

// held is a page that waits for the consumer. Two pages may wait without a grant of memory; each other one needs a grant.
type held struct {
	*Page
	grant *grant
}

type fetched struct {
	page *Page
	err  error
}

const freePages = 2

// rowOverhead is about how much memory a row takes beside its bytes.
const rowOverhead = 64

// isFree tells whether the page waits without a grant, or before its grant was given.
func (h *held) isFree() bool { return h.grant == nil || !h.grant.given() }

// run ends when all pages are delivered, or when the snapshot, the table or ctx ends.
func (f *prefetcher) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer close(f.out)
	defer f.drop(cancel)
	for !f.finished || len(f.queue) > 0 {
		f.maybeRequestMemory()
		f.maybeFetch(ctx)
		if f.err = f.wait(ctx); f.err != nil {
			return
		}
	}
}

// wait waits for one thing to happen.
func (f *prefetcher) wait(ctx context.Context) error {
	head, out := f.head()
	select {
	case out <- head:
		f.shift()
	case r := <-f.fetched:
		return f.handleFetched(r)
	case <-f.hurry():
		f.hurried = true
	case <-f.granted():
	case <-f.expired():
		return f.pin.Err()
	case <-f.ended:
		return f.reason()
	case <-ctx.Done():
		return f.leave(ctx)
	}
	return nil
}

// leave returns why the reader's context has ended while it waited: for a page, if its consumer has none.
func (f *prefetcher) leave(ctx context.Context) error {
	if f.fetched != nil && len(f.queue) == 0 {
		r := <-f.fetched // at once: a cancelled request does not wait for Redis
		f.fetched = nil
		if r.err != nil {
			return r.err
		}
	}
	return engine.Ended(ctx)
}

// maybeRequestMemory requests, in a hurry, memory for the newest page that waits, so that one more page may wait.
func (f *prefetcher) maybeRequestMemory() {
	if f.finished || f.fetched != nil || !f.hurried || f.hasRoom() {
		return
	}
	if newest := f.queue[len(f.queue)-1]; newest.grant == nil {
		newest.grant = f.memory.request(newest.size())
	}
}

// maybeFetch starts fetching the next page if that page may wait.
func (f *prefetcher) maybeFetch(ctx context.Context) {
	if f.finished || f.fetched != nil || !f.hasRoom() {
		return
	}
	done := make(chan fetched, 1)
	f.fetched = done
	next := f.next
	go func() {
		p, err := f.fetch(ctx, next)
		done <- fetched{p, err}
	}()
}

func (f *prefetcher) handleFetched(r fetched) error {
	f.fetched = nil
	if err := f.pin.Err(); err != nil {
		return err // the pin ended before the page came, so the page may be of another moment
	}
	if r.err != nil {
		return r.err
	}
	if len(r.page.Rows) > 0 {
		f.queue = append(f.queue, &held{Page: r.page})
	}
	f.next, f.finished = r.page.next, r.page.Final
	if f.finished {
		f.pin.Release()
	}
	return nil
}

// hasRoom tells whether one more page may wait.
func (f *prefetcher) hasRoom() bool {
	free := 0
	for _, h := range f.queue {
		if h.isFree() {
			free++
		}
	}
	return free < freePages
}

func (f *prefetcher) head() (*Page, chan<- *Page) {
	if len(f.queue) == 0 {
		return nil, nil
	}
	return f.queue[0].Page, f.out
}

func (f *prefetcher) shift() {
	f.giveBack(f.queue[0])
	f.queue = f.queue[1:]
}

func (f *prefetcher) giveBack(h *held) {
	if h.grant != nil {
		f.memory.giveBack(h.grant)
	}
}

// drop gives back all memory, releases the pin, and abandons a page that is being fetched.
func (f *prefetcher) drop(cancel context.CancelFunc) {
	cancel()
	if f.fetched != nil {
		<-f.fetched // comes at once, because a cancelled request does not wait for Redis
	}
	for _, h := range f.queue {
		f.giveBack(h)
	}
	f.queue = nil
	f.pin.Release()
}

func (f *prefetcher) hurry() <-chan struct{} {
	if f.hurried || f.finished {
		return nil
	}
	return f.pin.Hurry()
}

func (f *prefetcher) expired() <-chan struct{} {
	if f.finished {
		return nil
	}
	return f.pin.Expired()
}

// granted returns a channel that is closed when the next grant is given; nil if the prefetcher waits for none.
func (f *prefetcher) granted() <-chan struct{} {
	for _, h := range f.queue { // grants are given in order
		if h.grant != nil && !h.grant.given() {
			return h.grant.ready
		}
	}
	return nil
}
