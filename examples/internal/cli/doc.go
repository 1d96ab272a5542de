// Package cli is what the main functions of the examples share: signals, flags and exit statuses.
package cli
