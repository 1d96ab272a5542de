package engine

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the traces in testdata")

// TestMachineScripts runs each file of testdata against one machine: blocks of commands, a line of
// dashes, and the trace that must follow. See script.command for the commands.
func TestMachineScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { runScript(t, name) })
	}
}

func runScript(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := script{t: t, m: newMachine(View{})}
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		commands, _, _ := strings.Cut(block, "\n----")
		out = append(out, strings.TrimRight(commands, "\n")+"\n----\n"+s.run(commands))
	}
	got := strings.Join(out, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(text) {
		t.Errorf("%s: the trace differs (see -update):\n%s", name, firstDifference(string(text), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < min(len(w), len(g)); i++ {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n want %s\n  got %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// script is one machine and what is done to it.
type script struct {
	t *testing.T
	m *machine
}

func (s *script) run(commands string) string {
	var lines []string
	for line := range strings.Lines(commands) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		for _, a := range s.command(strings.Fields(line)) {
			lines = append(lines, a.trace())
		}
	}
	return strings.Join(append(lines, s.m.trace()), "\n")
}

// command runs one command:
//
//	found <state> gen=N ver=N seq=N    a new machine, which begins
//	writethrough                       from here on regular writes run beside a session
//	take T <kind> [joined] [sweeps] [of=S]  an effect from a mailbox, maybe of a session that has a holder
//	command T <kind> [of=S] [noted]    merge, abort, clear, repair, complete
//	parted T <kind> [of=S]             a request of an effect that was taken apart
//	session T                          a request for a session
//	leaves T                           the context of its holder ends
//	wait T, pin T                      requests for the clear state and for a pin
//	withdraw T, grace T                the end of a pin or request; of a grace period
//	applied <state> gen=N ver=N        and burned, postponed [general], pinged, unpinged [general], refused [general], unanswered,
//	                                   unsettled, fenced, lost, pauseover, nobodywaits, somebodywaits, arrives, needless [changed]
//	drop T                             an effect whose callers have all left
//	found-fenced                       a read says that the table is fenced
//	folded N [fenced|broken|refused], foldfails N [broken|refused], foldpauseover, close
func (s *script) command(f []string) []action {
	e := event{}
	switch f[0] {
	case "found":
		v := s.parseView(f[1:])
		s.m = newMachine(v)
	case "writethrough":
		s.m.writeThrough = true
		return nil
	case "take", "command", "parted":
		e.what = map[string]eventType{"take": taken, "command": commanded, "parted": parted}[f[0]]
		e.ticket, e.kind = s.parseNumber(f[1]), s.parseKind(f[2])
		for _, word := range f[3:] {
			of, is := strings.CutPrefix(word, "of=")
			switch {
			case is:
				e.session = s.parseNumber(of)
			case word == "noted":
				e.noted = true
			case word == "sweeps":
				e.sweeps = true
			default:
				e.joined = true
			}
		}
	case "wait", "pin", "session", "withdraw", "grace", "drop":
		e.what = map[string]eventType{"wait": clearAwaited, "pin": pinRequested, "session": sessionRequested, "withdraw": withdrawn, "grace": graceOver, "drop": dropped}[f[0]]
		e.ticket = s.parseNumber(f[1])
	case "leaves":
		e.what, e.ticket, e.err = holderLeft, s.parseNumber(f[1]), ErrScratchAborted
	case "applied":
		v := s.parseView(f[1:])
		e.what, e.result = applied, Result{State: v.State, Whole: v.Whole, Generation: v.Generation, Version: v.Version}
	case "folded", "foldfails":
		e.what = map[string]eventType{"folded": folded, "foldfails": foldFails}[f[0]]
		e.generation = uint32(s.parseNumber(f[1]))
		if len(f) > 2 {
			e.err = map[string]error{"fenced": ErrFenced, "broken": errors.New("broken"), "refused": &RefusedError{Err: errors.New("refused")}}[f[2]]
		}
	case "fenced":
		e.what, e.err = tableBroken, ErrFenced
	case "found-fenced":
		e.what, e.err = foundBroken, ErrFenced
	case "lost":
		e.what, e.err = tableBroken, ErrLost
	case "needless":
		if e.what = needless; len(f) > 1 {
			e.err = ErrChanged
		}
	default:
		others := map[string]eventType{"burned": burned, "postponed": postponed, "refused": refused, "unanswered": unanswered,
			"unsettled": unsettled, "pinged": pinged, "unpinged": unpinged, "nobodywaits": nobodyWaits, "somebodywaits": somebodyWaits, "arrives": arrived,
			"pauseover": pauseOver, "foldpauseover": foldPauseOver, "close": closed}
		what, known := others[f[0]]
		if !known {
			s.t.Fatalf("unknown command %q", f)
		}
		e.what, e.err, e.general = what, errors.New(f[0]), len(f) > 1
		if what == unpinged && e.general {
			e.err = &RefusedError{Err: e.err, General: true}
		}
	}
	return s.m.step(e)
}

func (s *script) parseNumber(text string) ticket {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return ticket(n)
}

func (s *script) parseKind(text string) Kind {
	for k := Put; k <= Complete; k++ {
		if strings.ReplaceAll(k.String(), " ", "-") == text {
			return k
		}
	}
	s.t.Fatalf("unknown kind %q", text)
	return 0
}

func (s *script) parseView(f []string) (v View) {
	word, isWhole := strings.CutSuffix(f[0], "-whole")
	v.Whole = isWhole
	for _, st := range []State{StateClear, StateActive, StateMerging} {
		if st.String() == word {
			v.State = st
		}
	}
	for _, field := range f[1:] {
		name, text, _ := strings.Cut(field, "=")
		n := uint64(s.parseNumber(text))
		switch name {
		case "gen":
			v.Generation = uint32(n)
		case "ver":
			v.Version = n
		case "seq":
			v.Seq = n
		}
	}
	return v
}

func (a action) trace() string {
	names := map[actionType]string{doPublish: "publish", doSend: "send", doSettle: "settle", doUnclaim: "unclaim", doPause: "pause",
		doRemember: "remember", doForget: "forget", doPing: "ping", doPart: "part", doGiveUp: "give up", doBeginSession: "begin session", doAbandon: "abandon",
		doAnswer: "answer", doGrant: "grant", doHurry: "hurry", doExpire: "expire", doFold: "fold", doPauseFold: "pausefold",
		doEndRegularSpans: "end regular spans", doEndScratchSpans: "end scratch spans", doEndAllSpans: "end all spans"}
	text := "  " + names[a.do]
	if a.ticket != 0 {
		text += fmt.Sprintf(" %d", a.ticket)
	}
	switch a.do {
	case doSend:
		text += fmt.Sprintf(" %s prev=%d gen=%d", a.kind, a.view.Seq, a.view.Generation)
		if a.kind.isRegular() && a.view.State != StateClear {
			text += " in " + a.view.State.String()
		}
	case doFold:
		if a.view.Whole {
			text += " whole"
		}
		fallthrough
	case doGrant:
		text += fmt.Sprintf(" gen=%d ver=%d", a.view.Generation, a.view.Version)
	case doGiveUp:
		text += fmt.Sprintf(" after %d tries", a.attempts)
	case doPause, doPauseFold:
		text += fmt.Sprintf(" attempts=%d", a.attempts)
	}
	return text + traceError(a.do == doAnswer, a.err)
}

func traceError(isAnswer bool, err error) string {
	switch {
	case err == nil && isAnswer:
		return ": ok"
	case err == nil:
		return ""
	}
	return ": " + strings.ReplaceAll(err.Error(), "tablecache: ", "")
}

func (m *machine) trace() string {
	word := m.view.State.String()
	if m.view.Whole {
		word += "-whole"
	}
	text := fmt.Sprintf("= %s gen=%d ver=%d seq=%d", word, m.view.Generation, m.view.Version, m.view.Seq)
	if m.current.phase != none {
		phases := [...]string{"none", "holding", "applying", "paused", "pinging", "settling", "settlepaused"}
		text += fmt.Sprintf(" %s %d %s", m.current.kind, m.current.ticket, phases[m.current.phase])
	}
	if m.fold != noFold {
		text += " fold " + [...]string{"none", "holding", "running", "paused"}[m.fold]
	}
	if n := len(m.commands); n > 0 {
		text += fmt.Sprintf(" commands=%d", n)
	}
	if n := len(m.aside); n > 0 {
		text += fmt.Sprintf(" aside=%d", n)
	}
	if m.refusing != nil {
		text += " refusing"
	}
	if m.othersTurn {
		text += " others' turn"
	}
	if n := len(m.pins); n > 0 {
		text += fmt.Sprintf(" pins=%d", n)
	}
	if m.sessions.holder != 0 {
		text += fmt.Sprintf(" session=%d", m.sessions.holder)
	}
	if m.sessions.left != nil {
		text += " left"
	}
	if n := len(m.pinRequests) + len(m.clearRequests) + len(m.sessions.requests); n > 0 {
		text += fmt.Sprintf(" waiting=%d", n)
	}
	text += m.traceOpen()
	if m.stopErr != nil {
		text += traceError(false, m.stopErr)
	}
	return text
}

func (m *machine) traceOpen() string {
	text := " open="
	if m.admitsRegular() {
		text += "regular,"
	}
	if m.writeThrough && m.admitsSweeps() {
		text += "sweeps,"
	}
	if m.admitsScratch() {
		text += "scratch,"
	}
	if m.sessions.holder != 0 && m.admitsHeld() {
		text += "held,"
	}
	return text + "control"
}
