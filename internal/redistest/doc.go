// Package redistest starts private, real Redis servers for tests: the redis-server in PATH, or the program that the
// environment variable REDIS_SERVER names (by its absolute path), which may be a valkey-server.
//
// A server listens on a unix socket of its own and on a TCP port of 127.0.0.1 that nobody else uses, keeps nothing on
// disk unless asked to, and lives in a temporary directory. It never uses the default port 6379, so a Redis that
// happens to run on the machine is neither read nor written. Many test processes may do this at once.
//
// Most tests want Shared with a Prefix of their own, and in the package's TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
//
// A test that kills, pauses or configures Redis takes a server of its own with Start.
//
// StartSharded starts a cluster of three primaries with a replica each, StartWatched a primary with replicas and sentinels: their slots
// are moved, and their primaries killed and replaced.
//
// On Linux the kernel kills a server whose test process dies, whatever it died of. Elsewhere a test binary that is
// killed leaves its servers behind.
package redistest
