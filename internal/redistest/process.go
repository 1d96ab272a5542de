package redistest

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/tablecache-go/tablecache/internal/process"
)

// spawn starts the server program with its output in the file log.
func spawn(log string, args []string) (*process.Process, error) {
	path, err := serverProgram()
	if err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, dieWithParent()
	return process.Start(cmd)
}

// serverProgram returns the path of the server program: what REDIS_SERVER names, else the redis-server in PATH.
func serverProgram() (string, error) {
	if named := os.Getenv("REDIS_SERVER"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("REDIS_SERVER: %w", err)
		}
		return path, nil
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", fmt.Errorf("%w (make install-redis)", err)
	}
	return path, nil
}
