// Package feed is the change feed of a table: what an owner tells it of each effect, and how others read it. An entry is
// appended in the very step that applies its effect, so that the feed and the table never disagree.
//
// # Files
//
//	chain.go  whether entries follow each other
//	entry.go  one entry, and how it is read
//	log.go    what an owner tells, and what is dropped
//	tail.go   entries as they come
package feed
