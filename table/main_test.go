package table_test

import (
	"os"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
