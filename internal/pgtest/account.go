package pgtest

import (
	"errors"
	"os"
	"os/user"
	"strconv"
)

// account is who runs the server instead of us. A nil one is us.
type account struct{ uid, gid int }

var errNobody = errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")

// servant returns whom the server runs as: nil unless we are root.
func servant() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if a, err := lookup(name); err == nil {
			return a, nil
		}
	}
	return nil, errNobody
}

func lookup(name string) (*account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return &account{uid: uid, gid: gid}, err
}

// own gives a directory to the account.
func (a *account) own(dir string) error {
	if a == nil {
		return nil
	}
	return os.Chown(dir, a.uid, a.gid)
}
