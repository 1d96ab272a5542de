// Package flightdata is what the examples keep in their tables: 20,000 flights of early 2001, each joined with its two
// airports. The data is compiled in; data/README.md says where it comes from.
package flightdata
