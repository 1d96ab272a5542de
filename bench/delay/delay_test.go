package delay

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

func TestAnswersComeWholeAndLate(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	echo := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = io.Copy(conn, conn)
		}
		echo <- err
	}()
	const by = 5 * time.Millisecond
	p, err := To(l.Addr().String(), by)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	sent, got := bytes.Repeat([]byte("0123456789"), 30_000), make([]byte, 300_000)
	start := time.Now()
	go conn.Write(sent)
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(sent, got) {
		t.Errorf("%d bytes went wrong: %v", len(got), err)
	}
	if took := time.Since(start); took < by {
		t.Errorf("the answer was there after %v, not %v", took, by)
	}
	p.Close()
	if n, err := conn.Read(got); n != 0 || err == nil {
		t.Errorf("a closed proxy still delivers %d bytes", n)
	}
	<-echo
}
