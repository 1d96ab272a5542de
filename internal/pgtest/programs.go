package pgtest

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// debian is where Debian and Ubuntu put the programs of each version.
const debian = "/usr/lib/postgresql/*/bin/postgres"

var errMissing = errors.New("no postgres in PATH or /usr/lib/postgresql (make install-postgresql)")

// programs returns the directory of PostgreSQL's programs. What is in PATH may be a link to one of them alone.
func programs() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob(debian)
	if err != nil || len(found) == 0 {
		return "", errMissing
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// version returns the version in a path of Debian's. Those before 10 had a point in it, and count as 0.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}
