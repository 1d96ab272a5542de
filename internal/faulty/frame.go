package faulty

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// readFrame reads one command or reply of the Redis protocol, nested ones included, and appends its bytes to dst.
func readFrame(r *bufio.Reader, dst []byte) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	dst = append(dst, line...)
	if err != nil {
		return dst, err
	}
	switch line[0] {
	case '$', '=', '!': // bytes
		return readBytes(r, dst, line)
	case '*', '~', '>': // list, set, push
		return readFrames(r, dst, line, 1)
	case '%', '|': // map, attributes
		return readFrames(r, dst, line, 2)
	}
	return dst, nil
}

func readBytes(r *bufio.Reader, dst, line []byte) ([]byte, error) {
	n, err := count(line)
	if err != nil || n < 0 {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, make([]byte, n+2)...)
	_, err = io.ReadFull(r, dst[start:])
	return dst, err
}

func readFrames(r *bufio.Reader, dst, line []byte, each int) ([]byte, error) {
	n, err := count(line)
	for i := 0; err == nil && i < n*each; i++ {
		dst, err = readFrame(r, dst)
	}
	return dst, err
}

func count(line []byte) (int, error) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	if err != nil {
		return 0, fmt.Errorf("faulty: not the protocol of redis: %w", err)
	}
	return n, nil
}

// commandName returns the first word of a command, in lower case.
func commandName(frame []byte) string {
	parts := bytes.SplitN(frame, []byte("\r\n"), 4)
	if len(parts) < 3 {
		return ""
	}
	return string(bytes.ToLower(parts[2]))
}
