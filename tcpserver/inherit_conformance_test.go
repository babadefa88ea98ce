//go:build conformance

package tcpserver_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// showSignals and showRest are programs that tell what a process can inherit.
// A shell is no good for the first: it has a signal mask of its own.
// Descriptor 2 may be closed.
var (
	showSignals = []string{"grep", "^Sig[BIC]", "/proc/self/status"}
	showRest    = []string{"sh", "-c", `
		for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
			if [ -e /proc/$$/fd/$i ]; then echo $i $(readlink /proc/$$/fd/$i) $(grep flags /proc/$$/fdinfo/$i); fi
		done
		grep -E "^(NoNewPrivs|Umask|Groups)" /proc/self/status
		cut -d" " -f5,6,19 /proc/$$/stat
		cat /proc/$$/limits
		pwd`}
)

// inherits is a way to start a server.
type inherits struct {
	name   string
	script string // what a shell does before it becomes the server
	redir  string // redirections of the server
	block  []syscall.Signal
}

var inheritances = []inherits{
	{name: "plain"},
	{name: "nohup", script: `trap "" HUP`},
	{name: "background", script: `trap "" INT QUIT`},
	{name: "TERM ignored", script: `trap "" TERM`},
	{name: "CHLD ignored", script: `trap "" CHLD`},
	{name: "PIPE ignored", script: `trap "" PIPE`},
	{name: "job control ignored", script: `trap "" TSTP TTIN TTOU CONT`},
	{name: "ALRM ignored", script: `trap "" ALRM VTALRM`},
	{name: "USR ignored", script: `trap "" USR1 USR2`},
	{name: "rest ignored", script: `trap "" ABRT XCPU XFSZ WINCH 29 PWR`},
	{name: "kept by the runtime", script: `trap "" ILL TRAP BUS FPE 16 PROF URG SYS`}, // STKFLT is 16
	{name: "real time ignored", script: `i=34; while [ $i -le 64 ]; do trap "" $i; i=$((i+1)); done`},
	{name: "descriptors", redir: `3</dev/null 4>/dev/null 5<>/dev/null 7</etc/passwd 9>>/dev/null`},
	{name: "2 closed", redir: `2>&-`},
	{name: "limits", script: `ulimit -Sn 300; ulimit -Hn 400; ulimit -c 0; ulimit -Ss 4096; ulimit -Sf 4000000`},
	{name: "few descriptors", script: `ulimit -n 64`},
	{name: "umask and folder", script: `umask 027; cd /usr`},
}

// A program under either server has the same descriptors, signals and limits,
// however the server was started. (With descriptor 0 or 1 closed C takes its
// socket for it and closes that: see TestConformanceClosedDescriptors.)
func TestConformanceInheritance(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	c, ours := testprog.Peer(t, "/usr/bin/tcpserver"), filepath.Join(testprog.Dir(t), "tcpserver")
	all := inheritances
	for name, block := range testprog.BlockedSignals {
		all = append(all, inherits{name: name, block: block})
	}
	port := 7000
	for _, how := range all {
		t.Run(how.name, func(t *testing.T) {
			for _, program := range [][]string{showSignals, showRest} {
				c, ours := inherited(t, c, program, how, port), inherited(t, ours, program, how, port+1)
				port += 2
				if diff := difference(c, ours); diff != "" {
					t.Errorf("C (<) and ours (>):\n%s", diff)
				}
			}
		})
	}
}

// With descriptors closed that C cannot do without, our server serves, and the
// program has no more than C's has otherwise.
func TestConformanceClosedDescriptors(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	c, ours := testprog.Peer(t, "/usr/bin/tcpserver"), filepath.Join(testprog.Dir(t), "tcpserver")
	port := 7000
	for redir, like := range map[string]string{"<&-": "", ">&-": "", "<&- >&-": "", ">&- 2>&-": "2>&-", "<&- >&- 2>&-": "2>&-"} {
		port += 2
		want, got := inherited(t, c, showRest, inherits{redir: like}, port), inherited(t, ours, showRest, inherits{redir: redir}, port+1)
		if diff := difference(want, got); diff != "" {
			t.Errorf("%s: C with %q (<) and ours (>):\n%s", redir, like, diff)
		}
	}
}

// inherited starts a server and returns what a program under it tells, and
// what the server itself says.
func inherited(t *testing.T, server string, program []string, how inherits, port int) string {
	t.Helper()
	args := append([]string{server, "-RHl0", "127.0.0.1", fmt.Sprint(port)}, program...)
	if how.script != "" || how.redir != "" {
		args = append([]string{"sh", "-c", how.script + "\nexec \"$@\" " + how.redir, "sh"}, args...)
	}
	cmd := exec.Command("setsid", args...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	if err := testprog.StartBlocking(cmd, how.block); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	got, err := fetchWhenThere(port)
	if err != nil {
		t.Fatalf("%s: %v", server, err)
	}
	text, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	pid := fmt.Sprint(cmd.Process.Pid)
	got = strings.NewReplacer(pid+" "+pid, "ITS-OWN-GROUP", log.Name(), "LOG").Replace(got)
	return sockets.ReplaceAllString(got, "socket") + string(text)
}

// fetchWhenThere waits for a server on a port of 127.0.0.1.
func fetchWhenThere(port int) (string, error) {
	for end := time.Now().Add(patience); ; {
		got, err := testprog.Fetch(fmt.Sprint(port), "")
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(end) {
			return got, err
		}
		runtime.Gosched()
	}
}

// difference returns the lines that are in one text alone.
func difference(a, b string) string {
	var diff strings.Builder
	in := func(text, mark, other string) {
		for line := range strings.Lines(text) {
			if !strings.Contains("\n"+other, "\n"+line) {
				diff.WriteString(mark + line)
			}
		}
	}
	in(a, "< ", b)
	in(b, "> ", a)
	return diff.String()
}
