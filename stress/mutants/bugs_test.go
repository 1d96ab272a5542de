package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Every bug can still be planted: what it replaces stands in its file, once. "make mutants" sees whether it is noticed.
func TestEveryBugCanBePlanted(t *testing.T) {
	t.Parallel()
	for _, b := range bugs {
		for _, p := range b.patches {
			text, err := os.ReadFile(filepath.Join("..", "..", p.file))
			if err != nil {
				t.Fatal(err)
			}
			if after, err := p.apply(string(text)); err != nil || after == string(text) {
				t.Errorf("%s: %v", b.name, err)
			}
		}
	}
}
