// Package pgtest starts private, real PostgreSQL servers for tests: with the postgres in PATH, or the newest of Debian's in
// /usr/lib/postgresql. It needs nothing but those programs, so that modules with any driver, or none, may use it.
//
// A server listens on a unix socket in a temporary directory of its own and on no port, writes without fsync, and trusts whoever gets
// at the socket. PostgreSQL refuses to run as root: where the tests do, it runs as postgres, or as nobody. Then the directory in
// TMPDIR must be one that everybody may enter.
//
// A start takes a second or two. So a package starts one server in its TestMain, with Launch, and gives each test a database of its own:
//
//	server, err := pgtest.Launch()
//	defer server.Stop()
//	…
//	pool, err := pgxpool.New(ctx, server.Database(t))
//
// A test that kills the server takes its own, with Start, and has Kill and Restart.
//
// On Linux the kernel ends a server whose test process dies, whatever it died of.
package pgtest
