package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// ErrURL: the URL cannot be understood. It is not repeated in the error: it may hold a password.
var ErrURL = errors.New("not a redis URL, want redis://host:port, rediss://…, unix://…, redis-cluster://host:port or redis-sentinel://host:port?master_name=…")

// patience bounds how long a server may take to answer for the first time.
const patience = 3 * time.Second

// Server is a Redis that answers.
type Server struct {
	Client redis.UniversalClient
	Name   string // for people: where it is
	URL    string // for other processes
	stop   func()
}

// Close closes the client, and stops the server if it is embedded.
func (s *Server) Close() {
	_ = s.Client.Close() // nothing can be done about it, and nothing hangs on it
	s.stop()
}

// To returns the server that url names, or an embedded one if url is empty, when it has answered.
func To(ctx context.Context, url string) (*Server, error) {
	if url == "" {
		return embedded()
	}
	s, err := client(url)
	if err != nil {
		return nil, ErrURL
	}
	s.URL, s.stop = url, func() {}
	if err := s.ping(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("cannot use %s: %w", s.Name, plain(err))
	}
	return s, nil
}

// client returns a client of what url names: a server, a cluster, or what sentinels watch over.
func client(url string) (*Server, error) {
	scheme, rest, _ := strings.Cut(url, "://")
	switch scheme {
	case "redis-cluster":
		o, err := redis.ParseClusterURL("redis://" + rest)
		if err != nil {
			return nil, err
		}
		o.DialTimeout, o.DialerRetries = patience, 1
		return &Server{Client: redis.NewClusterClient(o), Name: "a redis cluster at " + o.Addrs[0]}, nil
	case "redis-sentinel":
		o, err := redis.ParseFailoverURL("redis://" + rest)
		if err != nil {
			return nil, err
		}
		o.DialTimeout, o.DialerRetries = patience, 1
		return &Server{Client: redis.NewFailoverClient(o), Name: "what the sentinel at " + o.SentinelAddrs[0] + " watches over"}, nil
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.DialTimeout, o.DialerRetries = patience, 1
	return &Server{Client: redis.NewClient(o), Name: "redis at " + o.Addr}, nil
}

func embedded() (*Server, error) {
	mini, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("cannot start the embedded redis: %w", err)
	}
	return &Server{
		Client: redis.NewClient(&redis.Options{Addr: mini.Addr()}),
		Name:   "a redis embedded in this process",
		URL:    "redis://" + mini.Addr(),
		stop:   mini.Close,
	}, nil
}

// ping returns as soon as patience is over: go-redis alone might wait longer on a socket.
func (s *Server) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- s.Client.Ping(ctx).Err() }()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return errors.New("no answer")
	}
}

// plain takes the socket addresses out of a network error.
func plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
