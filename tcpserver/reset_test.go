package tcpserver_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// reset ends a connection with a reset instead of an end of file, whatever
// has not been sent or read yet.
func (c client) reset() {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// A reset is a client that resets its connection at some stage.
type reset struct {
	name    string
	options []string // beside -vRHl0 -c1
	program []string
	play    func(s *testprog.Server) error
	log     string // of one play, with N for numbers
}

const (
	logUp   = "tcpserver: status: 1/1\ntcpserver: pid N from 127.0.0.1\n"
	logOK   = logUp + "tcpserver: ok N 0:127.0.0.1:N :127.0.0.1::N\n"
	logDown = "tcpserver: status: 0/1\n"
)

// The logs were taken from ucspi-tcp 0.88's tcpserver.
var resets = []reset{
	{"while the program reads", nil, []string{"sh", "-c", "exec 2>/dev/null; echo hello; read x; exit 3"}, afterRead(6),
		logOK + "tcpserver: end N status 768\n" + logDown},
	{"while the program writes", nil, []string{"sh", "-c", "exec 2>/dev/null; cat /dev/zero; exit 3"}, afterRead(1 << 20),
		logOK + "tcpserver: end N status 768\n" + logDown},
	{"with input unread", nil, []string{"sh", "-c", "exec 2>/dev/null; echo hello; read x; exit 3"}, unread,
		logOK + "tcpserver: end N status 768\n" + logDown},
	{"when denied", []string{"-xdeny.cdb"}, []string{"true"}, afterRead(0),
		logUp + "tcpserver: deny N 0:127.0.0.1:N :127.0.0.1::N\ntcpserver: end N status 25600\n" + logDown},
	{"when dropped", []string{"-xmissing.cdb"}, []string{"true"}, afterRead(0),
		logUp + "tcpserver: warning: dropping connection, unable to read missing.cdb: file does not exist\ntcpserver: end N status 28416\n" + logDown},
	{"before the accept", nil, []string{"sh", "-c", "exec 2>/dev/null; echo hello; read x; exit 3"}, beforeAccept,
		strings.Repeat(logOK+"tcpserver: end N status 768\n"+logDown, 2)},
	{"before the banner", []string{"-B", "banner\n"}, []string{"sh", "-c", "exec 2>/dev/null; read x; exit 3"}, beforeAccept,
		logOK + "tcpserver: end N status 768\n" + logDown +
			logUp + "tcpserver: warning: dropping connection, unable to print banner: connection reset\ntcpserver: end N status 28416\n" + logDown},
}

// afterRead resets when n bytes have come.
func afterRead(n int) func(*testprog.Server) error {
	return func(s *testprog.Server) error {
		c, err := connect(s)
		if err != nil {
			return err
		}
		defer c.reset()
		_, err = io.ReadFull(c.in, make([]byte, n))
		return err
	}
}

// unread resets with more sent than the program takes.
func unread(s *testprog.Server) error {
	c, err := connect(s)
	if err != nil {
		return err
	}
	defer c.reset()
	if _, err = c.in.ReadString('\n'); err != nil {
		return err
	}
	_, err = fmt.Fprint(c, "\n"+strings.Repeat("more\n", 1000))
	return err
}

// beforeAccept resets a connection that waits for the only place, and then
// gives that free.
func beforeAccept(s *testprog.Server) error {
	holder, err := connect(s)
	if err != nil {
		return err
	}
	defer holder.Close()
	if _, err := holder.in.ReadString('\n'); err != nil {
		return err
	}
	c, err := connect(s)
	if err == nil {
		c.reset()
	}
	return err
}

// serverLog plays the reset three times against a server and returns its log.
func (r reset) serverLog(t *testing.T, server string) string {
	t.Helper()
	cmd := command(t, append(append([]string{"-1", "-vRHl0", "-c1"}, r.options...), append([]string{"127.0.0.1", "0"}, r.program...)...)...)
	cmd.Path, cmd.Dir = server, t.TempDir()
	compile(t, filepath.Join(cmd.Dir, "deny.cdb"), ":deny\n")
	s := startCommand(t, cmd)
	for i := range resetPlays {
		if err := r.play(s); err != nil {
			t.Fatal(err)
		}
		waitLog(t, s, "^tcpserver: status: 0/1\n", 1+(i+1)*strings.Count(r.log, logDown))
	}
	log := stop(t, s)
	var out strings.Builder
	for line := range strings.Lines(log) {
		out.WriteString(resetNumbers.ReplaceAllString(line, "${1}N"))
	}
	return out.String()
}

const resetPlays = 3

var resetNumbers = regexp.MustCompile(`(pid |ok |deny |end |127\.0\.0\.1:|::)[0-9]+`)

// A client that resets its connection ends its own program, if anything.
func TestResets(t *testing.T) {
	t.Parallel()
	for _, r := range resets {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			want := logDown + strings.Repeat(r.log, resetPlays)
			if got := r.serverLog(t, command(t).Path); got != want {
				t.Errorf("log:\n%swant:\n%s", got, want)
			}
		})
	}
}

// A client that resets while its name is looked up gets its program, which
// finds the connection reset; the next client is served.
func TestResetDuringLookup(t *testing.T) {
	t.Parallel()
	d := startSlowDNS(t)
	s := startShell(t, `export DNSCACHEIP=`+d.addr+`; exec $TCPSERVER -1 -vRl0 -c1 127.0.0.1 0 cat`)
	c := dial(t, s)
	<-d.asked
	c.reset()
	d.reply()
	waitLog(t, s, "^tcpserver: end [0-9]+ status 256\ntcpserver: status: 0/1$", 1)
	if got, err := testprog.Fetch(s.Port, "next"); got != "next" {
		t.Errorf("the next client got %q, %v", got, err)
	}
	if log := stop(t, s); !strings.Contains(log, "tcpserver: ok ") || strings.Contains(log, "tcpserver: warning") {
		t.Errorf("log:\n%s", log)
	}
}
