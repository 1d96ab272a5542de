package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each module is named where the others are: in the workspace, with which commands work from the root, and in the Makefile, which checks those
// inside this one. tools is what checks, and has nothing to be checked.
func TestModulesAreNamed(t *testing.T) {
	t.Parallel()
	modules := slices.DeleteFunc(modulesUnder(t, root), func(dir string) bool { return dir == "tools" })
	if used := usedBy(text(t, "go.work")); !slices.Equal(used, modules) {
		t.Errorf("go.work uses %v, there are %v", used, modules)
	}
	nested := slices.DeleteFunc(modules, func(dir string) bool { return dir == "." })
	if named := nestedIn(text(t, "Makefile")); !slices.Equal(named, nested) {
		t.Errorf("NESTED in the Makefile has %v, there are %v", named, nested)
	}
}

// modulesUnder returns the directories that have a go.mod, sorted.
func modulesUnder(t *testing.T, top string) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && name != top && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if err == nil && d.Name() == "go.mod" {
			dir, err := filepath.Rel(top, filepath.Dir(name))
			dirs = append(dirs, filepath.ToSlash(dir))
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(dirs)
	return dirs
}

var used = regexp.MustCompile(`(?m)^\t(\S+)$`)

// usedBy returns what a workspace uses, sorted.
func usedBy(work string) (dirs []string) {
	for _, found := range used.FindAllStringSubmatch(work, -1) {
		dirs = append(dirs, filepath.ToSlash(filepath.Clean(found[1])))
	}
	slices.Sort(dirs)
	return dirs
}

var nested = regexp.MustCompile(`(?m)^NESTED := .*\(wildcard (.*?)\)`)

// nestedIn returns the modules that a Makefile names, sorted.
func nestedIn(makefile string) (dirs []string) {
	found := nested.FindStringSubmatch(makefile)
	if found == nil {
		return nil
	}
	for _, name := range strings.Fields(found[1]) {
		dirs = append(dirs, strings.TrimSuffix(name, "/go.mod"))
	}
	slices.Sort(dirs)
	return dirs
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
