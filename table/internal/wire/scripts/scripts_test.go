package scripts

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// The truth's fields are named once in Go and once in Lua: the two lists are the same.
func TestTheFieldsOfTheTruthAreTheSameInLua(t *testing.T) {
	t.Parallel()
	_, list, _ := strings.Cut(lua(t, "prelude/base"), "local FIELDS = {")
	list, _, _ = strings.Cut(list, "}")
	want := "'" + strings.Join(layout.TruthFields[:], "', '") + "'"
	if list != want {
		t.Errorf("Lua has %s, Go has %s", list, want)
	}
	for _, field := range layout.TruthFields[:layout.MomentFields] {
		if !strings.Contains(lua(t, "prelude/head"), "t."+field+" or ''") {
			t.Errorf("answers lack %s", field)
		}
	}
}

// What a script calls a field of the truth is one.
func TestScriptsNameNoOtherFields(t *testing.T) {
	t.Parallel()
	used := regexp.MustCompile(`\bt\.([a-z]+)\b`)
	found := 0
	for _, name := range luaFiles(t) {
		for _, m := range used.FindAllStringSubmatch(lua(t, name), -1) {
			if found++; m[1] != "whole" && !slices.Contains(layout.TruthFields[:], m[1]) { // see stateWord
				t.Errorf("%s.lua reads t.%s", name, m[1])
			}
		}
	}
	if found < 50 {
		t.Fatalf("only %d fields found", found)
	}
}

// What a script brings stands behind what each answer begins with.
func TestScriptsLeaveTheMomentAlone(t *testing.T) {
	t.Parallel()
	placed := regexp.MustCompile(`\ba\[(\d+)\]`)
	found := 0
	for _, name := range luaFiles(t) {
		for _, m := range placed.FindAllStringSubmatch(lua(t, name), -1) {
			if at, _ := strconv.Atoi(m[1]); at < layout.MomentFields+2 {
				t.Errorf("%s.lua writes %s", name, m[0])
			}
			found++
		}
	}
	if found < 10 {
		t.Fatalf("only %d places found", found)
	}
}

// Each script is loaded, but for the seal, which travels as text, and the one that is loaded where an index is built. All are loaded again
// when a server has forgotten one, so they are kept few.
func TestAllScriptsAreLoaded(t *testing.T) {
	t.Parallel()
	own := 0
	for _, name := range luaFiles(t) {
		if !strings.HasPrefix(name, "prelude/") {
			own++
		}
	}
	if got := len(All()); got != own-2 || !slices.Contains(Building(), build) {
		t.Errorf("%d scripts are loaded, there are %d and the seal", got, own-1)
	}
}

func luaFiles(t *testing.T) (names []string) {
	t.Helper()
	for _, dir := range []string{".", "prelude"} {
		entries, err := files.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if name, is := strings.CutSuffix(e.Name(), ".lua"); is {
				names = append(names, strings.TrimPrefix(fmt.Sprintf("%s/%s", dir, name), "./"))
			}
		}
	}
	return names
}

func lua(t *testing.T, name string) string {
	t.Helper()
	b, err := files.ReadFile(name + ".lua")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
