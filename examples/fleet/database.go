package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// database stands for the one that a service has: it has the flights, and a log of all bookings, which is a stream in Redis.
type database struct{ rdb redis.UniversalClient }

// before returns the flights as they are before any booking.
var before = sync.OnceValues(loadFlights)

const bookingsName = tableName + "-bookings"

// flights returns all flights as they are after all bookings.
func (d database) flights(ctx context.Context) ([]flight, error) {
	all, err := before()
	if err != nil {
		return nil, err
	}
	all = slices.Clone(all)
	with := make(map[int32]*flight)
	for i := range all {
		with[all[i].ID] = &all[i]
	}
	entries, err := d.rdb.XRange(ctx, bookingsName, "-", "+").Result()
	for _, e := range entries {
		b, err := readBooking(e)
		if err != nil {
			return nil, err
		}
		if from, to := with[b.Flights[0]], with[b.Flights[1]]; from != nil && to != nil {
			b.do(from, to)
		}
	}
	return all, err
}

// add adds a booking.
func (d database) add(ctx context.Context, b booking) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return d.rdb.XAdd(ctx, &redis.XAddArgs{Stream: bookingsName, Values: []any{"booking", text}}).Err()
}

// after returns the booking behind one, whose id is last, and its own id. It waits until there is one, or until ctx ends.
func (d database) after(ctx context.Context, last string) (id string, b booking, err error) {
	for ctx.Err() == nil {
		streams, err := d.rdb.XRead(ctx, &redis.XReadArgs{Streams: []string{bookingsName, last}, Count: 1, Block: 100 * time.Millisecond}).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return "", b, err
		}
		e := streams[0].Messages[0]
		b, err = readBooking(e)
		return e.ID, b, err
	}
	return "", b, ctx.Err()
}

func readBooking(e redis.XMessage) (b booking, err error) {
	text, _ := e.Values["booking"].(string)
	err = json.Unmarshal([]byte(text), &b)
	return b, err
}
