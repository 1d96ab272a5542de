package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

type refused string

func (r refused) Error() string { return string(r) }
func (refused) RedisError()     {}

// What errors mean: whether the server has answered, whether they pass by themselves, and whether they say something of what was
// sent.
func TestP7_WhatErrorsMean(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		err                             error
		refusal, passes, lasts, general bool
	}{
		{redis.ErrClosed, false, false, true, true},
		{fmt.Errorf("init: %w", redis.ErrClosed), false, false, true, true},
		{refused("WRONGPASS invalid username-password pair or user is disabled."), true, false, true, true},
		{refused("NOAUTH Authentication required."), true, false, true, true},
		{refused("NOPERM this user has no permissions to run the 'hset' command"), true, false, true, true},
		{refused("ERR unknown command 'WATCH', with args beginning with:"), true, false, true, true},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false, false, true, true},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, false, false, true, true},
		{dial, false, false, false, true},
		{redis.ErrPoolTimeout, false, false, false, true},
		{refused("OOM command not allowed when used memory > 'maxmemory'."), true, false, false, true},
		{refused("READONLY You can't write against a read only replica."), true, false, false, true},
		{refused("LOADING Redis is loading the dataset in memory"), true, true, false, false},
		{refused("BUSY Redis is busy running a script."), true, true, false, false},
		{refused("ERR Protocol error: invalid bulk length"), true, false, false, false},
		{io.EOF, false, false, false, false},
		{&NotSentError{Err: errors.New("the circuit breaker is open")}, false, false, false, false},
	} {
		if IsRefusal(c.err) != c.refusal || Passes(c.err) != c.passes || Lasts(c.err) != c.lasts || IsGeneral(c.err) != c.general {
			t.Errorf("%v: refusal %t, passes %t, lasts %t, general %t", c.err, IsRefusal(c.err), Passes(c.err), Lasts(c.err), IsGeneral(c.err))
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	waited := engine.EndedWaiting(ended, &engine.WaitError{For: engine.WaitRedis, Since: time.Now(), Err: refused("LOADING")})
	if IsRefusal(waited) {
		t.Error("what somebody has waited for is taken for the server's answer")
	}
}

func TestP9_ACommandKnowsWhetherItHasLeft(t *testing.T) {
	t.Parallel()
	d := NewDeparture("x")
	if err := d.Explain(io.EOF); !NeverSent(err) || !errors.Is(err, io.EOF) {
		t.Errorf("%v, want that it was not sent", err)
	}
	if _, err := d.MarshalBinary(); err != nil || NeverSent(d.Explain(io.EOF)) || d.Explain(nil) != nil {
		t.Error("what was written is said not to be sent")
	}
}

func TestP11_TheLimitOfAnswersIsRead(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]int{
		"normal 1048576 0 0 slave 268435456 67108864 60 pubsub 0 0 0":          1 << 20,
		"slave 1 1 1 normal 0 500 60":                                          500,
		"*2\r\n$26\r\nclient-output-buffer-limit\r\n$14\r\nnormal 7 0 0 x\r\n": 7,
		"normal 0 0 0": 0,
	} {
		if most, told := outputLimit(setting); !told || most != want {
			t.Errorf("%q: %d, %t, want %d", setting, most, told, want)
		}
	}
	if _, told := outputLimit("-NOPERM no"); told {
		t.Error("a refusal tells a limit")
	}
}
