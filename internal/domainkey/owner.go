package domainkey

import (
	"os"
	"os/user"
	"strconv"
	"syscall"

	"ucspi-go/internal/prog"
)

// smtpUser runs qmail-smtpd, and so qmail-dkim, where nothing else is known.
const smtpUser = "qmaild"

// An owner is the user to whom files are given.
type owner struct {
	uid, gid int // -1 leaves it as it is
	name     string
}

// findOwner returns the owner of new keys in dir: the user that is named; else,
// for root, the owner of dir unless that is root; else smtpUser if there is
// one. Others than root keep what they make.
func findOwner(name, dir string) (owner, error) {
	if name != "" {
		own, ok := lookupUser(name)
		if !ok {
			return own, prog.Fatal(100, "unable to find the user "+strconv.QuoteToASCII(name), nil)
		}
		return own, nil
	}
	self := owner{-1, -1, userName(os.Geteuid())}
	if os.Geteuid() != 0 {
		return self, nil
	}
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err == nil && st.Uid != 0 {
		return owner{int(st.Uid), int(st.Gid), userName(int(st.Uid))}, nil
	}
	if own, ok := lookupUser(smtpUser); ok {
		return own, nil
	}
	return self, nil
}

// asRoot reports whether what root makes stays root's by default.
func (o owner) asRoot() bool { return o.uid < 0 && os.Geteuid() == 0 }

// lookupUser finds a user by name or number. The group is the user's own; a
// number that no user has leaves the group as it is.
func lookupUser(name string) (owner, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		uid, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			return owner{}, false
		}
		if u, err = user.LookupId(name); err != nil {
			return owner{int(uid), -1, name}, true
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return owner{uid, gid, u.Username}, err1 == nil && err2 == nil
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}
