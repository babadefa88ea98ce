package domainkey

import (
	"os"
	"strconv"
	"syscall"

	"ucspi-go/internal/account"
	"ucspi-go/internal/prog"
)

// An owner is the user to whom files are given.
type owner struct {
	uid, gid int // -1 leaves it as it is
	name     string
}

// findOwner returns the owner of new keys in dir: the user that is named; else,
// for root, the owner of dir unless that is root; else account.SMTP if there is
// one. Others than root keep what they make.
func findOwner(name, dir string) (owner, error) {
	if name != "" {
		own, ok := lookupUser(name)
		if !ok {
			return own, prog.Fatal(100, "unable to find the user "+strconv.QuoteToASCII(name), nil)
		}
		return own, nil
	}
	self := owner{-1, -1, account.Name(os.Geteuid())}
	if os.Geteuid() != 0 {
		return self, nil
	}
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err == nil && st.Uid != 0 {
		return owner{int(st.Uid), int(st.Gid), account.Name(int(st.Uid))}, nil
	}
	if own, ok := lookupUser(account.SMTP); ok {
		return own, nil
	}
	return self, nil
}

// asRoot reports whether what root makes stays root's by default.
func (o owner) asRoot() bool { return o.uid < 0 && os.Geteuid() == 0 }

func lookupUser(name string) (owner, bool) {
	u, ok := account.Find(name)
	return owner{u.UID, u.GID, u.Name}, ok
}
