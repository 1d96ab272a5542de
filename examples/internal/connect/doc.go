// Package connect gives the examples a Redis: the server that a URL names, or one embedded in the process.
package connect
