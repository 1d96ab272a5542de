package walk

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// truth is the hash T:m.
type truth struct {
	state               string
	whole               bool // what is staged stands for the whole table
	gen                 uint32
	count, staged, live int
}

// position is the form of an owner's epoch with one of its numbers.
const position = `[1-9][0-9]*:[0-9a-f]+/(0|[1-9][0-9]*)`

var fields = map[string]*regexp.Regexp{
	"epoch":  regexp.MustCompile(`^[1-9][0-9]*:[0-9a-f]+$`),
	"seq":    regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"last":   regexp.MustCompile(`(?s)^[0-9]*$|^[0-9]+ [0-9]+ [0-9]+ \S* .*$`),
	"gen":    regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"state":  regexp.MustCompile(`^(clear|(active|merging)(-whole)?)$`),
	"rver":   regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"burns":  regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"notes":  regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"count":  regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"staged": regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"live":   regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"widest": regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"layout": regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"schema": regexp.MustCompile(`.`),
	"owner":  regexp.MustCompile(`.`),
	"feed":   regexp.MustCompile(`^(feed|off)$`),
	"line":   regexp.MustCompile(`^$|^` + position + `( ` + position + `){0,63}$`),
	"burned": regexp.MustCompile(`^$|^` + position + `( ` + position + `){0,63}$`),
}

// lease are the fields that are missing where nobody holds a lease.
var lease = map[string]*regexp.Regexp{
	"holder": regexp.MustCompile(`^.* [0-9a-f]{16}$`),
	"lease":  regexp.MustCompile(`^[1-9][0-9]*$`),
	"until":  regexp.MustCompile(`^[1-9][0-9]*$`),
}

// These may be missing: the note, and how far the fold is.
const (
	note     = "note"
	mostNote = 64 << 10
	fold     = "fold"
)

var foldForm = regexp.MustCompile(`^[1-9][0-9]*:[0-9a-f]+ [0-9]+ [0-9]+ [0-9]+$`)

func parse(hash map[string]string) (m truth, err error) {
	var errs []error
	for name, form := range fields {
		if text, ok := hash[name]; !ok || !form.MatchString(text) {
			errs = append(errs, fmt.Errorf("walk: field %s of T:m is %q", name, text))
		}
	}
	there := len(hash)
	if text, is := hash[note]; is {
		there--
		if len(text) > mostNote {
			errs = append(errs, fmt.Errorf("walk: the note has %d bytes", len(text)))
		}
	}
	if text, is := hash[fold]; is {
		there--
		if hash["state"] != "merging" || !foldForm.MatchString(text) {
			errs = append(errs, fmt.Errorf("walk: in state %s the fold is at %q", hash["state"], text))
		}
	}
	if _, is := hash["holder"]; is {
		there -= len(lease)
		for name, form := range lease {
			if !form.MatchString(hash[name]) {
				errs = append(errs, fmt.Errorf("walk: field %s of T:m is %q", name, hash[name]))
			}
		}
	}
	if there > len(fields) {
		errs = append(errs, fmt.Errorf("walk: T:m has %d fields, not %d", there, len(fields)))
	}
	gen, err := strconv.ParseUint(hash["gen"], 10, 32)
	state, whole := strings.CutSuffix(hash["state"], "-whole")
	m = truth{state: state, whole: whole, gen: uint32(gen)}
	errs = append(errs, err, number(hash, "count", &m.count), number(hash, "staged", &m.staged), number(hash, "live", &m.live))
	return m, errors.Join(errs...)
}

// checkFeed checks that the feed ends with the entry of the table's last effect.
func checkFeed(c *content) error {
	if len(c.last) == 0 {
		return nil
	}
	epoch := c.truth["epoch"]
	counter, _, _ := strings.Cut(epoch, ":")
	if want := counter + "-" + c.truth["seq"]; c.last[0].ID != want || c.last[0].Values["e"] != epoch {
		return fmt.Errorf("walk: the feed ends with %s of %v, not with %s of %s", c.last[0].ID, c.last[0].Values["e"], want, epoch)
	}
	return nil
}

func number(hash map[string]string, name string, to *int) (err error) {
	*to, err = strconv.Atoi(hash[name])
	return err
}
