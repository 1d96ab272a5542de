package redistest

// Launch starts a server for a program that is no test, which ends it with Stop.
func Launch(o Options) (*Server, error) { return start(o) }

// Stop kills the server and removes its files. Options.Dir stays.
func (s *Server) Stop() { s.stop() }
