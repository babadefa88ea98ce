//go:build conformance

package tcpclient

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

const hanging = time.Minute // that a program may take

const zoneText = `
1.0.0.127.in-addr.arpa PTR Near.EXAMPLE
2.0.0.127.in-addr.arpa TXT no name
4.0.0.127.in-addr.arpa PTR we\055ird\072na\040m\045e.exa\343mple_x
5.0.0.127.in-addr.arpa PTR .
6.0.0.127.in-addr.arpa PTR first.example
6.0.0.127.in-addr.arpa PTR second.example
7.0.0.127.in-addr.arpa SERVFAIL
near.example A 127.0.0.1
near.rewritten A 127.0.0.2
near.example.net A 127.0.0.4
full.example A 127.0.0.8
refused.example A 127.0.0.21
refused.example A 127.0.0.22
refused.example A 127.0.0.23
broken.example SERVFAIL
text.example TXT text
`

// Ident servers by address. P stands for the two ports; an empty reply is
// none at all.
var identReplies = map[string]string{
	"127.0.0.1": "P : USERID : UNIX : joe\r\n",
	"127.0.0.2": "P : ERROR : NO-USER\r\n",
	"127.0.0.4": "P : USERID : UNIX : a b\t%:c\xff\x01\r\n",
	"127.0.0.5": "P : USERID : UNIX : joe", // ends too early
	"127.0.0.6": "",
}

// On port 7000 these addresses greet and close, full ones do not answer, all
// others refuse.
var (
	greeting = []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"}
	full     = []string{"127.0.0.8", "127.0.0.9"}
)

// A world is a network with its servers, and a folder.
type world struct{ c, ours, dir string }

func newWorld(t *testing.T, zone string) world {
	w := world{c: testprog.Peer(t, "/usr/bin/tcpclient"), ours: filepath.Join(testprog.Dir(t), "tcpclient"), dir: t.TempDir()}
	testprog.NameServer(t, zone, testprog.OnPort53)
	for _, address := range greeting {
		testprog.Answer(t, address+":7000", func(c *net.TCPConn) { io.WriteString(c, "hello\n") })
	}
	for address, reply := range identReplies {
		testprog.Answer(t, address+":113", func(c *net.TCPConn) {
			buf := make([]byte, 100)
			n, _ := c.Read(buf)
			if reply == "" {
				c.Read(buf) // until the client has lost its patience
			}
			io.WriteString(c, strings.ReplaceAll(reply, "P", strings.TrimSpace(string(buf[:n]))))
		})
	}
	for _, address := range full {
		fill(t, address, 7000)
	}
	for name, text := range map[string]string{
		"plain":   "no interpreter line\n",
		"script":  "#!/bin/sh\necho script\n",
		"rewrite": "# comment\n=a:near.rewritten\n*.up:.example\n-.drop:near.example\n?:+.nowhere+.example.net\n*.:\n",
		"list":    "import os\n",
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(w.dir+"/dir", 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// run is one command line.
type run struct {
	args    []string
	environ []string // added
	shell   string   // what a shell does before: "exec 6</dev/null; ulimit -n 7"
	user    uint32   // that runs the program; 0 for root
	sorted  bool     // messages come in any order
	timed   bool     // the whole seconds that it takes count too
}

// observe runs a program and returns all that its users can see, without
// what differs from run to run.
func (w world) observe(t *testing.T, program string, r run) string {
	if r.user != 0 { // it must be able to read the program
		program = testprog.Copy(t, program, t.TempDir())
	}
	args := append([]string{"-c", r.shell + "\nexec \"$@\"", "sh", program}, r.args...)
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1"}, r.environ...)
	if r.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: r.user, Gid: r.user}}
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(hanging, func() { cmd.Process.Kill() })
	defer timer.Stop()
	start := time.Now()
	cmd.Run()
	took := ""
	if r.timed {
		took = fmt.Sprintf("took %.0f s\n", time.Since(start).Seconds())
	}
	// The order of the environment says nothing.
	lines := strings.Split(stdout.String(), "\n")
	slices.Sort(lines)
	messages := strings.Split(stderr.String(), "\n")
	if r.sorted {
		slices.Sort(messages)
	}
	out := strings.Join(lines, "\n") + "\n" + strings.Join(messages, "\n")
	for _, v := range varying {
		out = v.ReplaceAllString(out, "${1}N")
	}
	return fmt.Sprintf("%v\n%s%s", cmd.ProcessState, took, out)
}

var varying = []*regexp.Regexp{
	regexp.MustCompile(`(TCPLOCALPORT=)[0-9]{5}\b`),
	regexp.MustCompile(`((?:socket|pipe):\[)[0-9]+`),
	regexp.MustCompile(`(/proc/)[0-9]+`),
}

// compare runs both programs. Where time counts they run at the same time, and
// a difference must show again and again: on a busy machine one of them may
// come a second late.
func (w world) compare(t *testing.T, r run) {
	t.Helper()
	c, ours := w.both(t, r)
	for try := 1; r.timed && c != ours && try < 4; try++ {
		c, ours = w.both(t, r)
	}
	if c != ours {
		t.Errorf("%s tcpclient %q, %q:\nC:\n%s\nours:\n%s", r.shell, r.args, r.environ, c, ours)
	}
	if testing.Verbose() && os.Getenv("SHOW") != "" {
		t.Logf("%s tcpclient %q, %q:\n%s", r.shell, r.args, r.environ, c)
	}
}

func (w world) both(t *testing.T, r run) (c, ours string) {
	t.Helper()
	if !r.timed {
		return w.observe(t, w.c, r), w.observe(t, w.ours, r)
	}
	var done sync.WaitGroup
	done.Go(func() { c = w.observe(t, w.c, r) })
	ours = w.observe(t, w.ours, r)
	done.Wait()
	return c, ours
}
