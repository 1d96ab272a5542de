package table_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// fakeSentinel listens like a sentinel that knows one primary, and returns its own address.
func fakeSentinel(t testing.TB, primary string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveAnswers(conn, func(args []string) string { return sentinelAnswer(args, primary) })
		}
	}()
	return l.Addr().String()
}

func sentinelAnswer(args []string, primary string) string {
	host, port, _ := net.SplitHostPort(primary)
	switch strings.ToLower(strings.Join(args[:min(2, len(args))], " ")) {
	case "sentinel get-master-addr-by-name":
		return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
	case "sentinel sentinels":
		return "*0\r\n"
	}
	if len(args) > 1 && strings.EqualFold(args[0], "subscribe") {
		return fmt.Sprintf("*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n", len(args[1]), args[1])
	}
	return "-ERR unknown command\r\n"
}

// serveAnswers answers the commands of a connection until it ends.
func serveAnswers(conn net.Conn, reply func(args []string) string) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		args, err := readCommand(r)
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, reply(args)); err != nil {
			return
		}
	}
}

// readCommand reads an array of strings.
func readCommand(r *bufio.Reader) (args []string, err error) {
	n, err := readLength(r, '*')
	for ; n > 0 && err == nil; n-- {
		var size int
		if size, err = readLength(r, '$'); err == nil {
			text := make([]byte, size+2)
			_, err = io.ReadFull(r, text)
			args = append(args, string(text[:size]))
		}
	}
	return args, err
}

func readLength(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("got %q, want %c", line, kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
