package testprog

import (
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// refuseCommand is the script command "refuse": it sets $REFUSED to a port
// that refuses connections for the rest of the script. The port of a server
// that was stopped may be another's by then.
func refuseCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: refuse")
	}
	port, release, err := Refuse()
	ts.Check(err)
	ts.Defer(release)
	ts.Setenv("REFUSED", port)
}

// Refuse returns a port on which nobody listens, at any IPv4 address, and
// nobody will before release is called.
func Refuse() (port string, release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	var local syscall.Sockaddr
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{}); err == nil {
		local, err = syscall.Getsockname(fd)
	}
	if err != nil {
		syscall.Close(fd)
		return "", nil, err
	}
	return strconv.Itoa(local.(*syscall.SockaddrInet4).Port), func() { syscall.Close(fd) }, nil
}
