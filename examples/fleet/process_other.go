//go:build !unix

package main

import "errors"

var errCannotStop = errors.New("on this system a process cannot be stopped")

func (p *process) stop() error { return errCannotStop }
func (p *process) goOn() error { return errCannotStop }
