package table_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

// proxy stands between clients and a server, and answers some commands itself.
type proxy struct {
	addr   string
	conns  atomic.Int64                               // that were made
	answer atomic.Pointer[func(seen []string) string] // see decide
}

// cutIt is an answer that closes the connection.
const cutIt = "cut"

// itsArguments stands in an answer for the arguments of the command, which some servers repeat.
const itsArguments = "{arguments}"

// decide sets what the proxy answers to the last of the commands that a connection has sent so far, by their names: a line, or
// cutIt; nothing hands it on.
func (p *proxy) decide(answer func(seen []string) string) { p.answer.Store(&answer) }

func newProxy(t testing.TB, s *redistest.Server) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	p := &proxy{addr: l.Addr().String()}
	p.decide(func([]string) string { return "" })
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.conns.Add(1)
			go p.serve(client, s.Socket())
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn, socket string) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	from, back := bufio.NewReader(client), bufio.NewReader(server)
	for seen := []string(nil); ; {
		args, err := readCommand(from)
		if err != nil {
			return
		}
		seen = append(seen, strings.ToLower(args[0]))
		reply := (*p.answer.Load())(seen)
		switch reply {
		case cutIt:
			return
		case "":
			if reply, err = forward(server, back, args); err != nil {
				return
			}
		default:
			reply = strings.ReplaceAll(reply, itsArguments, "'"+strings.Join(args[1:], "' '")+"'") + "\r\n"
		}
		if _, err := io.WriteString(client, reply); err != nil {
			return
		}
	}
}

func forward(server net.Conn, back *bufio.Reader, args []string) (reply string, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := io.WriteString(server, b.String()); err != nil {
		return "", err
	}
	return readReply(back)
}

// readReply returns one reply as it came.
func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	n, each := 0, map[byte]int{'*': 1, '~': 1, '>': 1, '%': 2}[line[0]]
	if each > 0 || line[0] == '$' || line[0] == '=' {
		if n, err = strconv.Atoi(strings.TrimSpace(line[1:])); err != nil || n < 0 {
			return line, err
		}
	}
	if each == 0 && (line[0] == '$' || line[0] == '=') {
		text := make([]byte, n+2)
		_, err = io.ReadFull(r, text)
		return line + string(text), err
	}
	for range n * each {
		part, err := readReply(r)
		if err != nil {
			return "", err
		}
		line += part
	}
	return line, nil
}
