// Package faulty puts faults between a client and Redis, at an exact place: before the server gets a command, after it
// has run it and before the client hears of it, or at any byte of either. It also runs this test binary again as a
// process of its own, which can be stopped and killed.
//
// A Proxy reads along: it forwards one command, waits for its reply, and forwards the next, also inside a pipeline. So
// at each Point it is known which commands the server has run. Its Hook decides what becomes of each Point, and may do
// what it likes meanwhile: kill a process, open the table elsewhere, wait.
package faulty
