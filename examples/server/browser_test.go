package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
)

// browser is a tab of a headless Chromium of the test's own.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v (make install-chromium)", err)
	}
	// Chromium takes a free port for itself; the profile lies in a folder that goes with it.
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // there is none for root
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the browser's end: %v", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("cannot start %s: %v", path, err)
	}
	return &browser{t: t, ctx: ctx}
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v; the page shows\n%s", what, err, b.text())
	}
}

// waitFor waits until an expression holds in the page.
func (b *browser) waitFor(expression string) {
	b.t.Helper()
	b.do("wait for "+expression, chromedp.Poll[chromedp.Void]("!!("+expression+")", chromedp.WithPollingTimeout(0)))
}

func (b *browser) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	return fmt.Sprint(text, err)
}

// waitForBoard waits until the page shows the next flights as the table has them, and nothing else.
func (b *browser) waitForBoard(s *server, from time.Time, n int) []flight {
	b.t.Helper()
	var rows []string
	var flights []flight
	for f, err := range s.table.Records(b.t.Context(), s.table.Range(flightdata.ByDeparture, flightdata.Score(from), 1e12).Max(n)) {
		if err != nil {
			b.t.Fatal(err)
		}
		flights = append(flights, f)
		rows = append(rows, strings.Join([]string{f.Departure.Format("2006-01-02 15:04"), f.Origin.City, f.Destination.City,
			fmt.Sprint(f.Delay), fmt.Sprint(f.Revision)}, "|"))
	}
	b.waitFor(fmt.Sprintf(`[...board.rows].map(r => [...r.cells].slice(0, 5).map(c => c.textContent).join("|")).join("\n") == %q`,
		strings.Join(rows, "\n")))
	return flights
}

// A page in a real browser shows what enters, changes and leaves, by whomever, and catches up when its connection was lost.
func TestM4_APageThatIsLive(t *testing.T) {
	s := newLoaded(t)
	proxy := &proxy{to: s.routes(), refused: make(chan struct{}, 1)}
	h := serving(t, proxy)
	b := startBrowser(t)
	from, n := time.Date(2001, time.February, 17, 6, 0, 0, 0, time.UTC), 5
	b.do("open", chromedp.Navigate(h.URL+"/departures?n=5&from="+from.Format(time.RFC3339)))
	b.waitFor(`document.body.classList.contains("live")`)
	flights := b.waitForBoard(s, from, n)
	b.waitFor("log.children.length == 0") // what was there is no change

	// Another process changes a flight.
	if err := s.table.Update(t.Context(), flights[1].ID, func(f *flight) error { f.Delay = 77; return nil }); err != nil {
		t.Fatal(err)
	}
	b.waitFor(fmt.Sprintf(`document.querySelector("#flight-%d.update") && log.firstChild.matches(".update[data-flight='%[1]d']")`, flights[1].ID))
	b.waitForBoard(s, from, n)

	// A visitor makes the first flight so late that it leaves the board: another one enters.
	b.do("click", chromedp.Click(chromedp.CSS(fmt.Sprintf("#flight-%d button", flights[4].ID))))
	b.waitFor(fmt.Sprintf(`log.querySelector(".leave[data-flight='%d']") && log.querySelector(".enter")`, flights[4].ID))
	b.waitForBoard(s, from, n)

	// A reload is seen as an update of each; the flight that was late comes back.
	b.do("clear the log", chromedp.Evaluate[chromedp.Void](`void log.replaceChildren()`))
	if _, err := s.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	flights = b.waitForBoard(s, from, n)
	b.waitFor(`["update", "enter", "leave"].map(kind => log.querySelectorAll("." + kind).length).join() == "4,1,1"`)

	// What happens while the connection is lost is seen afterwards.
	proxy.down.Store(true)
	h.CloseClientConnections()
	b.waitFor(`!document.body.classList.contains("live")`)
	if _, err := s.table.DeleteKeys(t.Context(), flights[0].ID, flights[2].ID); err != nil {
		t.Fatal(err)
	}
	<-proxy.refused // which ends an EventSource
	proxy.down.Store(false)
	b.waitFor(`document.body.classList.contains("live")`)
	b.waitForBoard(s, from, n)
}

// proxy stands before a server, and answers in its place while it is down.
type proxy struct {
	to      http.Handler
	down    atomic.Bool
	refused chan struct{} // holds one: that a request was
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.down.Load() {
		p.to.ServeHTTP(w, r)
		return
	}
	http.Error(w, "down", http.StatusBadGateway)
	select {
	case p.refused <- struct{}{}:
	default:
	}
}
