// Command mutants plants bugs in copies of this repository, one at a time, and tells which of the tests that must notice
// do so within 30 seconds. It fails if one does not, or if a bug cannot be planted any more.
//
//	go run ./stress/mutants [-only pattern]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

// patience is how long the tests may take to notice; building them is not counted.
const patience = 30 * time.Second

func main() {
	only := flag.String("only", "", "plant only bugs whose names match this regular expression")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err == nil {
		err = run(pattern, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run prints a line for each bug, after the same tests have passed without any.
func run(only *regexp.Regexp, out io.Writer) error {
	tab := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer tab.Flush()
	fmt.Fprintln(tab, "bug\tnoticed by\tafter\t")
	var missed []error
	sound := make(map[check]bool)
	for _, b := range bugs {
		if !only.MatchString(b.name) {
			continue
		}
		if !sound[b.check] {
			sound[b.check] = true
			missed = append(missed, line(tab, bug{name: "(none)", check: b.check}))
		}
		missed = append(missed, line(tab, b))
	}
	return errors.Join(missed...)
}

// line tries one bug, prints what came of it, and returns what is wrong with that.
func line(tab *tabwriter.Writer, b bug) error {
	noticed, took, said, err := try(b)
	defer tab.Flush()
	name := b.check.pkg + " " + b.check.run
	switch {
	case err != nil:
		fmt.Fprintf(tab, "%s\t%s\tnot tried: %v\t\n", b.name, name, err)
		return fmt.Errorf("%s: %w", b.name, err)
	case b.patches == nil && noticed:
		fmt.Fprintf(tab, "%s\t%s\tFAILS\t\n", b.name, name)
		return fmt.Errorf("%s fails without any bug, after %v:\n%s", name, took, said)
	case b.patches == nil:
		fmt.Fprintf(tab, "%s\t%s\tpasses\t\n", b.name, name)
		return nil
	case !noticed:
		fmt.Fprintf(tab, "%s\t%s\tNOT NOTICED\t\n", b.name, name)
		return fmt.Errorf("%s: not noticed by %s", b.name, name)
	}
	how := fmt.Sprintf("%.1f s", took.Seconds())
	if took > patience {
		how = "hangs"
	}
	fmt.Fprintf(tab, "%s\t%s\t%s\t\n", b.name, name, how)
	return nil
}

// try plants the bug in a copy of the repository and tells whether the check fails there.
func try(b bug) (noticed bool, took time.Duration, said string, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return false, 0, "", err
	}
	defer os.RemoveAll(dir)
	if err := copyTree(dir, "."); err != nil {
		return false, 0, "", err
	}
	if err := plant(dir, b); err != nil {
		return false, 0, "", err
	}
	return examine(dir, b.check)
}

func plant(dir string, b bug) error {
	for _, p := range b.patches {
		path := filepath.Join(dir, p.file)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		after, err := p.apply(string(text))
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// apply returns the text with the bug in it.
func (p patch) apply(text string) (string, error) {
	if n := strings.Count(text, p.old); n != 1 {
		return "", fmt.Errorf("%s holds %d times what the bug replaces; it must be once: %q", p.file, n, p.old)
	}
	return strings.Replace(text, p.old, p.new, 1), nil
}

// copyTree copies the repository, without what git keeps.
func copyTree(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			err = os.CopyFS(target, os.DirFS(source))
		} else {
			err = copyFile(target, source)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// examine builds the tests, and runs them. Tests that hang have noticed, too.
func examine(dir string, c check) (failed bool, took time.Duration, said string, err error) {
	binary := filepath.Join(dir, "check.test")
	build := exec.Command("go", "test", "-c", "-o", binary, c.pkg)
	build.Dir = dir
	if text, err := build.CombinedOutput(); err != nil {
		return false, 0, "", fmt.Errorf("%w: %s", err, text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	args := append([]string{"-test.run=" + c.run, "-test.failfast"}, strings.Fields(c.args)...)
	tests := exec.CommandContext(ctx, binary, args...)
	tests.Dir = filepath.Join(dir, c.pkg)
	tests.WaitDelay = time.Second
	start := time.Now()
	text, err := tests.CombinedOutput()
	took = time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) || ctx.Err() != nil {
		return true, took, string(text[max(0, len(text)-4000):]), nil
	}
	return false, took, "", err
}
