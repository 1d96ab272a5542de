// Package wire talks to Redis about one table: it runs scripts, sends plain commands, tries again after refusals that pass, and
// reads raw replies. Package scripts, below this one, has the call and the answer of each script.
//
// # Files
//
//	absent.go     errors of a table that is not there, or not ours
//	answer.go     the answer of a script, and what it means to an owner
//	average.go    running means, from which sizes are guessed
//	await.go       calls that may hang, left when a context ends
//	brief.go      a command whose answer is short
//	buffer.go     a command that reads a long answer into a buffer of about the right size
//	callers.go    for whom a call is made, for the client's hooks
//	client.go     the client of one table, and the calls of its scripts
//	command.go    plain commands and pipelines
//	confirm.go    asking once more, through a new connection, before a caller is told of a loss
//	dedicated.go   a connection for commands that block
//	departure.go  whether a command has left this process
//	echo.go       errors without the arguments that they repeat
//	epochs.go     epochs of answers, each allocated once
//	lasting.go    refusals which say that a command is not available
//	lease.go      the lease of a table, as it is stored
//	limits.go     what is too large for the server, and how it says so
//	pipeline.go   commands that are sent together, in memory that is allocated at once
//	preflight.go  which clients and servers Open refuses
//	probe.go      the table's truth by plain commands
//	refusal.go    what a server's refusal means
//	reply.go      a raw reply, read from front to back
//	retry.go      what is done after a refusal, and for how long
//	rows.go       rows that have memory of their own
//	run.go        the runner of scripts
//	script.go     a script as servers know it, and how it is loaded
//	state.go      the words for the states, and where rows are in each
//	status.go     the status of an answer
//	stored.go      the schema of a table of which only the name is known
//	trouble.go    the latest error, for callers whose context ends
//	wrapper.go    the client inside of a caller's wrapper
package wire
