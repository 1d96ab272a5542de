package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// describe says, in one line, where and when the figures come from.
func describe(ctx context.Context, b *bench) (string, error) {
	info, err := b.bare.Info(ctx, "server").Result()
	if err != nil {
		return "", err
	}
	server := "redis-server " + field(info, "redis_version:")
	if v := field(info, "valkey_version:"); v != "" { // beside the version of Redis that it is compatible with
		server = "valkey-server " + v
	}
	return fmt.Sprintf("%s, %d cores, %s %s; %s, %s, go-redis %s; %s; %d records, %d rounds",
		processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), server,
		redis.Version(), time.Now().UTC().Format(time.DateOnly), b.count, b.rounds), nil
}

// processor returns the name of the CPU where it is to be had.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	return strings.TrimLeft(field(string(text), "model name"), "\t: ")
}

// field returns what follows a name in its line.
func field(text, name string) string {
	_, rest, _ := strings.Cut(text, name)
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}
