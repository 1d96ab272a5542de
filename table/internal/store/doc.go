// Package store changes a table in Redis for its one owner: it claims the table, applies the engine's effects, and folds what
// was merged. It has the engine's Store.
//
// An effect that only stores or removes rows is applied by a transaction of plain commands. Any other is applied by its script,
// which can compare and find out what is wrong. Only [Store.Apply] chooses between the two.
//
// # Files
//
//	build.go        making the entries of indexes that are new, in the cleanup pool
//	certain.go      calling a script once more where it says that the table is lost
//	claim.go        how a process becomes the table's owner
//	commands.go     an effect as plain commands
//	connection.go   the writer's own connection
//	credentials.go  the credentials of that connection
//	drop.go         removing a table whose definition is not known
//	fold.go         copying merged rows to where they belong, in the cleanup pool
//	lease.go        renewing the owner's lease, and giving it up
//	opening.go      what an Open plans and does
//	running.go      a task under way, and its end
//	schema.go       comparing stored scores with those of a definition
//	store.go        the engine's Store: transaction or script, and what an error means
//	transaction.go  an effect as a transaction
package store
