package qmailmaildir

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// unique makes the names of a delivery's files. No two processes of a host
// have the same number at the same microsecond, and hosts have names: see
// https://cr.yp.to/proto/maildir.html.
type unique struct {
	born time.Time
	pid  int
	seq  int // from 1, higher where a name is taken
	host string
}

// name returns a name of the form SECONDS.MmicrosecondsPpidQseq.HOST.
func (u *unique) name() string {
	return strconv.FormatInt(u.born.Unix(), 10) + ".M" + strconv.Itoa(u.born.Nanosecond()/1000) +
		"P" + strconv.Itoa(u.pid) + "Q" + strconv.Itoa(u.seq) + "." + hostPart(u.host)
}

// maxTries is the number of names that are tried. A second one is needed only
// where clocks or process numbers repeat themselves.
const maxTries = 100

// try calls take with one name after the other until there is no file of that
// name yet. It returns the last error of take.
func (u *unique) try(take func(name string) error) (err error) {
	for range maxTries {
		if err = take(u.name()); !errors.Is(err, fs.ErrExist) {
			break
		}
		u.seq++
	}
	return err
}

// maxHost bounds the host's part of a name in bytes: readers append flags to
// names, and file systems allow 255 bytes.
const maxHost = 160

// hostPart returns the host's name as it can stand in a file name: what ends
// a file's name, or begins its flags, becomes \057 and \072, as the Maildir
// convention says, and likewise what makes a name unreadable.
func hostPart(host string) string {
	var b strings.Builder
	for i := range len(host) {
		part := host[i : i+1]
		if c := host[i]; c == '/' || c == ':' || c <= ' ' || c == 0x7f {
			part = `\` + string([]byte{'0' + c>>6, '0' + c>>3&7, '0' + c&7})
		}
		if b.Len()+len(part) > maxHost {
			break
		}
		b.WriteString(part)
	}
	return b.String()
}

// nodeName returns the host's name as the kernel knows it.
func nodeName() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "localhost"
	}
	return unix.ByteSliceToString(u.Nodename[:])
}
