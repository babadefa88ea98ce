// Package account finds the users of this host.
package account

import (
	"os/user"
	"strconv"
)

// SMTP is the user that runs qmail-smtpd, and so qmail-dkim, where nothing else
// is known.
const SMTP = "qmaild"

// A User is a user of this host.
type User struct {
	UID, GID int // GID is -1 when it is not known
	Name     string
}

// Find finds a user by name or number. A number that no user has is one whose
// group and name are not known.
func Find(name string) (User, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		uid, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			return User{}, false
		}
		if u, err = user.LookupId(name); err != nil {
			return User{int(uid), -1, name}, true
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return User{uid, gid, u.Username}, err1 == nil && err2 == nil
}

// Name returns the name of a user, or the number in its place.
func Name(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}
