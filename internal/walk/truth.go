package walk

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// truth is the hash T:m.
type truth struct {
	state               string
	gen                 uint32
	count, staged, live int
}

var fields = map[string]*regexp.Regexp{
	"epoch":  regexp.MustCompile(`^[1-9][0-9]*:[0-9a-f]+$`),
	"seq":    regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"last":   regexp.MustCompile(`^[012]*$`),
	"gen":    regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"state":  regexp.MustCompile(`^(clear|active|merging)$`),
	"rver":   regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"count":  regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"staged": regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"live":   regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"widest": regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"layout": regexp.MustCompile(`^(0|[1-9][0-9]*)$`),
	"schema": regexp.MustCompile(`.`),
	"owner":  regexp.MustCompile(`.`),
}

func parse(hash map[string]string) (m truth, err error) {
	var errs []error
	for name, form := range fields {
		if text, ok := hash[name]; !ok || !form.MatchString(text) {
			errs = append(errs, fmt.Errorf("walk: field %s of T:m is %q", name, text))
		}
	}
	if len(hash) > len(fields) {
		errs = append(errs, fmt.Errorf("walk: T:m has %d fields, not %d", len(hash), len(fields)))
	}
	gen, err := strconv.ParseUint(hash["gen"], 10, 32)
	m = truth{state: hash["state"], gen: uint32(gen)}
	errs = append(errs, err, number(hash, "count", &m.count), number(hash, "staged", &m.staged), number(hash, "live", &m.live))
	return m, errors.Join(errs...)
}

func number(hash map[string]string, name string, to *int) (err error) {
	*to, err = strconv.Atoi(hash[name])
	return err
}
