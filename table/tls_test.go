package table_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)}
	a.key = newKey(t)
	signed, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	ok(t, err)
	a.cert, err = x509.ParseCertificate(signed)
	ok(t, err)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	return key
}

// sign returns a certificate for a server of this name, good until a moment.
func (a *authority) sign(name string, until time.Time) tls.Certificate {
	key := newKey(a.t)
	cert := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	signed, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	ok(a.t, err)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// terminal ends TLS in front of a server that may have been built without, and counts the bytes that get so far.
type terminal struct {
	net.Listener
	passed  atomic.Int64
	running sync.WaitGroup
}

func startTerminal(t *testing.T, socket string, cert tls.Certificate) *terminal {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	ok(t, err)
	m := &terminal{Listener: listener}
	m.running.Go(func() {
		for {
			conn, err := m.Accept()
			if err != nil {
				return
			}
			m.running.Go(func() { m.serve(conn, socket) })
		}
	})
	t.Cleanup(func() { m.Close(); m.running.Wait() })
	return m
}

// serve passes bytes on until either side has gone.
func (m *terminal) serve(conn net.Conn, socket string) {
	defer conn.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, server) // ends with the connection
		conn.Close()
	})
	n, _ := io.Copy(server, conn)
	m.passed.Add(n)
	server.Close()
	back.Wait()
}

func (m *terminal) client(t *testing.T, roots *x509.CertPool, name string) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr().String(), MaxRetries: -1, DialerRetries: 1,
		TLSConfig: &tls.Config{RootCAs: roots, ServerName: name}})
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

func TestATableWorksOverTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	m := startTerminal(t, redistest.Shared(t).Socket(), ca.sign("redis.test", time.Now().Add(time.Hour)))
	ok(t, everyVerb(t.Context(), m.client(t, ca.pool(), "redis.test"), redistest.Prefix(t)))
}

func TestACertificateThatCannotBeTrustedIsRefused(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	for what, c := range map[string]struct {
		cert  tls.Certificate
		cause any
	}{
		"of another authority": {other.sign("redis.test", time.Now().Add(time.Hour)), new(x509.UnknownAuthorityError)},
		"of another name":      {ca.sign("other.test", time.Now().Add(time.Hour)), new(x509.HostnameError)},
		"that has expired":     {ca.sign("redis.test", time.Now().Add(-time.Minute)), new(x509.CertificateInvalidError)},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := startTerminal(t, redistest.Shared(t).Socket(), c.cert)
			_, err := table.Open(t.Context(), m.client(t, ca.pool(), "redis.test"), itemDefinition(redistest.Prefix(t)))
			if !errors.As(err, c.cause) {
				t.Errorf("got %v, want a %T", err, c.cause)
			}
			if n := m.passed.Load(); n != 0 {
				t.Errorf("%d bytes were told to a server that was not trusted", n)
			}
		})
	}
}
