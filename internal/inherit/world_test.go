package inherit_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/smtpsink"
	"ucspi-go/internal/testprog"
)

const closeInput = "exec 0<&-"

// A world is a folder to work in, which is a qmail home as well, a name
// server with the keys that are in it and a list, a server to connect to, and
// one that takes mail, for every host.
type world struct {
	dir     string
	environ []string
	enter   string // enterLimit
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{dir: t.TempDir(), enter: enterLimit}
	w.environ = append(os.Environ(), "PATH="+testprog.Dir(t)+":"+os.Getenv("PATH"), "QMAILHOME="+w.dir, "DKIMLOG=")
	for name, text := range map[string]string{
		"tcp.smtp":          ruleText,
		"control/me":        "example.com\n",
		"control/rcpthosts": "example.com\n",
		"bin/qmail-queue":   queueProgram,
		"dialogue":          "mail from:<>\r\nrcpt to:<a@example.com>\r\ndata\r\ntext\r\n.\r\nquit\r\n",
		"envelope":          "Fa@example.com\x00Tb@example.com\x00\x00",
	} {
		w.write(t, name, text)
	}
	w.must(t, `mkdir control/domainkeys queue && cd queue && mkdir pid intd todo lock mess && mkfifo lock/trigger
		i=0; while test $i -lt 23; do mkdir mess/$i; i=$((i+1)); done`)
	w.must(t, `tcprules rules.cdb tmp <tcp.smtp`)

	zone := "2.0.0.127.rbl.example A 127.0.0.2\n2.0.0.127.rbl.example TXT listed here\n"
	for _, kind := range []string{"rsa", "ed25519", "both"} {
		for record := range strings.Lines(w.must(t, "domainkey -t "+kind+" "+kind+".example 2>/dev/null")) {
			name, text, _ := strings.Cut(record, " IN TXT ")
			zone += name + " TXT " + strings.NewReplacer(`" "`, "", "(", "", ")", "", `"`, "").Replace(text)
		}
	}
	names := testprog.NameServer(t, strings.ReplaceAll(zone, ". TXT", " TXT"), dnsserver.Start)
	w.environ = append(w.environ, "DNSCACHEIP="+names.Addr())

	sink, err := smtpsink.Start("127.0.0.1:0", smtpsink.Script{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	w.write(t, "control/smtproutes", ":"+sink.Addr.String())
	w.write(t, "control/smarthost", sink.Addr.String())

	s := w.serve(t, exec.Command(filepath.Join(testprog.Dir(t), "tcpserver"), "-1", "-RHl0", "-x", "rules.cdb", "127.0.0.1", "0", "sh", "-c", "echo $TCPREMOTEIP $A"))
	w.environ = append(w.environ, "PORT="+s.Port, "WEB="+answer(t, "0", true))
	return w
}

// answer starts a server on a port of 127.0.0.1 and returns the port. It says
// what it has been asked, the first line of it, after an empty line.
func answer(t *testing.T, port string, asked bool) string {
	t.Helper()
	return testprog.Answer(t, "127.0.0.1:"+port, func(c *net.TCPConn) {
		line := ""
		if asked {
			line, _ = bufio.NewReader(c).ReadString('\n')
		}
		io.WriteString(c, "\r\nasked "+strings.TrimSuffix(line, "\r\n")+"\r\n")
		c.CloseWrite()
		io.Copy(io.Discard, c) // what is not read when a connection is closed resets it
	})
}

// write writes a file, which may be a program.
func (w world) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (w world) serve(t *testing.T, cmd *exec.Cmd) *testprog.Server {
	t.Helper()
	if cmd.Dir == "" {
		cmd.Dir, cmd.Env = w.dir, w.environ
	}
	s, err := testprog.StartServer(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// command returns a shell command under a limit in bytes, 0 for none.
func (w world) command(limit int, text string) *exec.Cmd {
	define := "limit() { \"$@\"; }\n"
	if limit > 0 {
		define = w.enter + "\nlimit() { (enter \"$@\") }\n"
	}
	cmd := exec.Command("sh", "-c", define+text)
	cmd.Dir, cmd.Env = w.dir, append(w.environ, fmt.Sprintf("LIMIT=%d", limit))
	return cmd
}

// run returns the output of a command, and what is wrong about its end.
func (w world) run(t *testing.T, limit int, text string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := w.command(limit, text)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Sprintf("%s%v: %.300s", out, err, stderr.String())
	}
	return string(out)
}

// shellRuns reports whether /bin/sh runs under a limit: a large one that is
// linked to libraries cannot under the smallest.
func (w world) shellRuns(t *testing.T, limit int) bool {
	t.Helper()
	return w.run(t, limit, "limit /bin/sh -c 'echo yes'") == "yes\n"
}

// sizesForShell leaves out the sizes under which a shell does not run.
func (w world) sizesForShell(t *testing.T, sizes ...int) (good []int) {
	t.Helper()
	for _, size := range sizes {
		if w.shellRuns(t, size) {
			good = append(good, size)
		} else {
			t.Logf("sh does not run under %d bytes", size)
		}
	}
	return good
}

func (w world) must(t *testing.T, text string) string {
	t.Helper()
	out, err := w.command(0, text).Output()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(out)
}
