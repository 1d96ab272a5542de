// Package wire says things to Redis about one table: it runs scripts, sends plain commands, retries what a refusal says may
// succeed, and reads raw replies. What each script takes and answers stands in package scripts, below this one.
//
// # Files
//
//	answer.go     what every script answers with, and what that means to an owner
//	average.go    sizes guessed from those that came lately
//	buffer.go     a command whose long answer is read into memory that is about large enough
//	callers.go    for whom a call is made, for the client's hooks
//	client.go     the client of one table, and the calls of its scripts
//	command.go    plain commands and pipelines
//	confirm.go    asking once more, through a connection of its own, before a table is said to be lost
//	departure.go  whether a command has left this process
//	echo.go       errors without the arguments that they repeat
//	lasting.go    refusals that say that a command cannot be had
//	limits.go     what is too large for the server, and how it says so
//	preflight.go  which clients and servers are refused
//	probe.go      the table's truth by plain commands
//	refusal.go    what a server's refusal means
//	reply.go      a raw reply, read from front to back
//	retry.go      what is done about a refusal, and for how long
//	rows.go       rows that have memory of their own
//	run.go        the runner of scripts
//	script.go     a script as servers know it, and how they are told
//	status.go     what a script says of its answer
//	trouble.go    what went wrong last
//	wrapper.go    the client inside of a caller's wrapper
package wire
