// Package stress is where tablecache proves itself. It holds
//
//   - Ledger, a book of versions, which tells from the content of a read alone, and from what was
//     acknowledged before it began, whether it is of one moment;
//   - in its tests: a state machine against the reference model (internal/model), linearizability of
//     concurrent histories, a thousand goroutines, readers across merges, faults of the network and of
//     Redis, take-overs, leaks, readers in other processes, followers of the change feed, changes of the definition;
//   - in mutants/ bugs to plant in a copy of the library, to see whether all that notices.
//
// Every test prints its seed; -stress.seed replays it (the schedule of goroutines is not the
// seed's to say). The tests run one after the other, for each of them takes the whole machine.
//
// There are two kinds of runs. A full one (-stress.full, "make stress") goes on until each test has done
// the volume that docs/RELIABILITY.md tells of, and fails when that takes more than 30 minutes: then it names
// what is missing. All others are shortened: they take about -stress.duration, of which each test has a share.
package stress
