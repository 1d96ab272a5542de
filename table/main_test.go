package table_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(&clientLog)
	os.Exit(redistest.Main(m))
}

// clientLog is what go-redis itself logs, of which there is one in a process.
var clientLog lines

type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

// Printf adds a line.
func (l *lines) Printf(_ context.Context, format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, format+"\n", v...)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
