//go:build conformance

package tcpserver_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// Each client address has its own name and its own ident server.
const conformanceZone = `
1.0.0.127.in-addr.arpa PTR good.example
good.example A 127.0.0.9
good.example A 127.0.0.1
2.0.0.127.in-addr.arpa PTR liar.example
liar.example A 127.0.0.9
4.0.0.127.in-addr.arpa PTR we\055ird\072na\040m\045e.exa\343mple_x
we\055ird\072na\040m\045e.exa\343mple_x A 127.0.0.4
5.0.0.127.in-addr.arpa PTR First.EXAMPLE
5.0.0.127.in-addr.arpa PTR second.example
first.example A 127.0.0.5
6.0.0.127.in-addr.arpa PTR aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example
7.0.0.127.in-addr.arpa PTR .
here.example A 127.0.0.1
`

// identReplies are by client address; an address that is not there has no
// ident server. P stands for the two ports.
var identReplies = map[string]string{
	"127.0.0.1": "P : USERID : UNIX : joe\r\n",
	"127.0.0.2": "P : ERROR : NO-USER\r\n",
	"127.0.0.4": "P : USERID : UNIX : a b\t%:c\xff\x01\r\n",
	"127.0.0.5": "P : USERID : UNIX : joe", // ends too early
	"127.0.0.6": "P : USERID : UNIX : " + "abcdefghij" + "\x00" + "abcdefghij" + strings.Repeat("x", 300) + "\r\n",
	"127.0.0.7": "\r\n",
}

var clientAddresses = []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"}

var conformanceRules = map[string]string{
	"allow.cdb":  ":allow\n",
	"env.cdb":    "joe@127.0.0.1:allow,A=\"ident\"\n@127.0.0.2:allow,A=\"empty info\",TCPREMOTEHOST=\"\"\n=first.example:allow,A=\"name\"\n127.0.0.3:allow,A=\"address\",A=\"twice\"\n:allow,RELAYCLIENT=\"\",INHERITED=\"new\",PATH=\"/nowhere\",=\"no name\"\n",
	"deny.cdb":   "127.0.0.1:deny,A=\"x\"\n=.example:deny\n:allow\n",
	"nobody.cdb": ":deny\n",
}

// conform is the world of the comparison: a network with its name server and
// ident servers, and a folder with databases.
type conform struct {
	c, ours string
	dir     string
}

func newConform(t *testing.T) conform {
	w := conform{c: testprog.Peer(t, "/usr/bin/tcpserver"), ours: filepath.Join(testprog.Dir(t), "tcpserver"), dir: t.TempDir()}
	testprog.NameServer(t, conformanceZone, testprog.OnPort53)
	for address, reply := range identReplies {
		identAt(t, address, func(c *net.TCPConn, ports string) { io.WriteString(c, strings.ReplaceAll(reply, "P", ports)) })
	}
	for name, text := range conformanceRules {
		compile(t, filepath.Join(w.dir, name), text)
	}
	for name, text := range map[string]string{"short.cdb": "short", "empty.cdb": "", "plain": "no interpreter line\n", "script": "#!/bin/sh\necho script\n"} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if errors.Join(os.Chmod(w.dir, 0o755), os.Chmod(w.dir+"/plain", 0o755), os.Chmod(w.dir+"/script", 0o755), os.Mkdir(w.dir+"/dir", 0o755)) != nil {
		t.Fatal("cannot make the folder")
	}
	return w
}

// run is one command line.
type run struct {
	args    []string
	environ []string // added
	user    uint32   // that starts the server; 0 for root
	from    []string // client addresses; nil for one client

}

func (w conform) command(program string, r run, args ...string) *exec.Cmd {
	cmd := exec.Command(program, append(args, r.args...)...)
	cmd.Args[0] = "tcpserver"
	cmd.Dir = w.dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1"}, r.environ...)
	if r.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: r.user, Gid: r.user}}
	}
	return cmd
}

// observe runs a server and returns all that its users can see, with numbers
// that differ from run to run taken out.
func (w conform) observe(t *testing.T, program string, r run) string {
	s, err := testprog.StartServer(w.command(program, r, "-1"))
	if err != nil {
		return "does not start: " + err.Error()
	}
	defer s.Kill()
	froms := r.from
	if froms == nil {
		froms = clientAddresses[:1]
	}
	var seen strings.Builder
	for i, from := range froms {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
		conn, err := d.Dial("tcp4", "127.0.0.1:"+s.Port)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(conn)
		conn.Close()
		// A client that was sent nothing may see a reset instead.
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		lines := strings.Split(string(got), "\n")
		slices.Sort(lines)
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		fmt.Fprintf(&seen, "client %s: %q\n", from, strings.ReplaceAll(strings.Join(lines, "\n"), port, "CLIENT"))
		if slices.ContainsFunc(r.args, func(a string) bool { return strings.HasPrefix(a, "-v") }) {
			if err := s.WaitLog("^tcpserver: status: 0/", i+2); err != nil {
				t.Fatal(err)
			}
		}
	}
	log, err := s.Stop()
	fmt.Fprintf(&seen, "end %v\n%s", err, numbers.ReplaceAllString(log, "$1 N"))
	out := strings.ReplaceAll(seen.String(), s.Port, "SERVER")
	return clientPort.ReplaceAllString(out, ":CLIENT\n")
}

var (
	numbers    = regexp.MustCompile(`(?m)^(tcpserver: (?:pid|ok|deny|end)) [0-9]+`)
	clientPort = regexp.MustCompile(`:[0-9]+\n`)
	sockets    = regexp.MustCompile(`socket:\[[0-9]+\]`)
)

func (w conform) compare(t *testing.T, r run) {
	t.Helper()
	if c, ours := w.observe(t, w.c, r), w.observe(t, w.ours, r); c != ours {
		t.Errorf("tcpserver %q, %q:\nC:\n%s\nours:\n%s", r.args, r.environ, c, ours)
	}
}

func TestConformanceOptions(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	for _, v := range []string{"-q", "-Q", "-v"} {
		for _, names := range []string{"-H", "-h", "-hp"} {
			for _, info := range []string{"-R", "-r"} {
				for _, local := range []string{"", "-lname%:x", "-l"} {
					for _, rules := range []string{"", "allow.cdb", "env.cdb", "deny.cdb", "nobody.cdb", "missing.cdb", "short.cdb", "plain/x"} {
						args := []string{v, names, info}
						switch local {
						case "":
						case "-l":
							args = append(args, "-l", "")
						default:
							args = append(args, local)
						}
						if rules != "" {
							args = append(args, "-x", rules)
						}
						w.compare(t, run{
							args:    append(args, "0", "0", "env"),
							environ: []string{"TCPREMOTEHOST=old", "TCPREMOTEINFO=old", "TCPLOCALHOST=old", "PROTO=old", "INHERITED=old"},
							from:    clientAddresses,
						})
					}
				}
			}
		}
	}
}

func TestConformanceMore(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	const basic = "-vRHl0"
	for _, r := range []run{
		{args: []string{basic, "-X", "-x", "missing.cdb", "0", "0", "env"}},
		{args: []string{basic, "-X", "-x", "short.cdb", "0", "0", "env"}},
		{args: []string{basic, "-X", "-x", "plain/x", "0", "0", "env"}},
		{args: []string{basic, "-B", "banner\\n", "0", "0", "env"}},
		{args: []string{basic, "-Bbanner", "-xnobody.cdb", "0", "0", "env"}},
		{args: []string{basic, "-Bbanner", "-xmissing.cdb", "0", "0", "env"}},
		{args: []string{basic, "-c1", "0", "0", "env"}, from: clientAddresses},
		{args: []string{basic, "-c", "3x", "0", "0", "env"}},
		{args: []string{basic, "-c", "18446744073709551615", "0", "0", "env"}},
		{args: []string{basic, "-c", "18446744073709551618", "0", "0", "env"}},
		{args: []string{basic, "-DOb5", "0", "0", "env"}},
		{args: []string{basic, "-do", "-b", "x", "0", "0", "env"}},
		{args: []string{"-vHr", "-t", "5", "0", "0", "env"}, from: clientAddresses},
		{args: []string{"-RvQH", "here.example", "", "env"}},
		{args: []string{basic, "--", "127.0.0.1", "65536", "env"}},
		{args: []string{basic, "0", "0", "env", "A=b"}},
		{args: []string{basic, "0", "0", "missing"}},
		{args: []string{basic, "0", "0", "./missing"}},
		{args: []string{"-RHl0", "0", "0", "./dir"}},
		{args: []string{"-qRHl0", "0", "0", "./dir"}},
		{args: []string{basic, "0", "0", "./plain"}},
		{args: []string{basic, "0", "0", "plain/x"}},
		{args: []string{basic, "0", "0", ""}},
		{args: []string{basic, "0", "0", "sh", "-c", "exit 3"}},
		{args: []string{basic, "0", "0", "sh", "-c", "kill -9 $$"}},
		{args: []string{basic, "0", "0", "sh", "-c", "kill -15 $$"}},
		{args: []string{basic, "0", "0", "plain"}, environ: []string{"PATH=/nowhere:"}},
		{args: []string{basic, "0", "0", "script"}, environ: []string{"PATH="}},
		{args: []string{basic, "0", "0", "script"}, environ: []string{"PATH=plain:."}},
		{args: []string{basic, "0", "0", "dir"}, environ: []string{"PATH=/nowhere:."}},
		{args: []string{basic, "-u65533", "-g", "65532", "0", "0", "id"}},
		{args: []string{basic, "-u65533", "0", "0", "id"}},
		{args: []string{basic, "-g65533", "0", "0", "id"}},
		{args: []string{basic, "-U", "0", "0", "id"}, environ: []string{"UID=65533x", "GID=65532"}},
		{args: []string{basic, "-U", "-u65531", "0", "0", "id"}, environ: []string{"UID=65533", "GID=65532"}},
		{args: []string{basic, "-u65531", "-U", "0", "0", "id"}, environ: []string{"GID=65532"}},
		{args: []string{basic, "0", "0", "sh", "-c", "grep Sig[BI] /proc/self/status; ulimit -n; umask"}},
		{args: []string{basic, "0", "0", "sh", "-c", "exec 2>&1; grep flags /proc/self/fdinfo/0; ls -l /proc/self/fd/0 /proc/self/fd/1 | wc -l"}},
	} {
		w.compare(t, r)
	}
}

// What keeps the server from starting.
func TestConformanceStart(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	used, err := net.Listen("tcp4", "127.0.0.1:7000")
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	for _, r := range []run{
		{args: nil},
		{args: []string{"0"}},
		{args: []string{"0", "0"}},
		{args: []string{"-q", "0", "0"}},
		{args: []string{"-qZ"}},
		{args: []string{"-v", "-x"}},
		{args: []string{"-vqx"}},
		{args: []string{"-:"}},
		{args: []string{"--help"}},
		{args: []string{"--x", "0", "nosuchservice", "env"}},
		{args: []string{"-v-"}},
		{args: []string{"0", "nosuchservice"}},
		{args: []string{"-q", "0", "nosuchservice", "env"}},
		{args: []string{"0", "70x", "env"}},
		{args: []string{"0", "domain/tcp", "env"}},
		{args: []string{"127.0.0.1", "7000", "env"}},
		{args: []string{"127.0.0.1", "72536", "env"}},
		{args: []string{"-q", "127.0.0.1", "7000", "env"}},
		{args: []string{"192.0.2.1", "0", "env"}},
		{args: []string{"no.example", "0", "env"}},
		{args: []string{"1.2.3", "0", "env"}},
		{args: []string{"", "70000x", "env"}},
		{args: []string{strings.Repeat("a", 64) + ".example", "0", "env"}},
		{args: []string{"-g5", "0", "0", "env"}, user: 65533},
		{args: []string{"-u5", "0", "0", "env"}, user: 65533},
		{args: []string{"-qu5", "0", "0", "env"}, user: 65533},
		{args: []string{"0", "1", "env"}, user: 65533},
		{args: []string{"0", "smtp", "env"}, user: 65533},
	} {
		c, ours := w.fails(t, w.c, r), w.fails(t, w.ours, r)
		if c != ours {
			t.Errorf("tcpserver %q:\nC:    %s\nours: %s", r.args, c, ours)
		}
	}
}

func (w conform) fails(t *testing.T, program string, r run) string {
	if r.user != 0 { // it must be able to read the program
		program = testprog.Copy(t, program, w.dir)
	}
	cmd := w.command(program, r)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Run()
	return fmt.Sprintf("%v %q", cmd.ProcessState, stderr.String())
}

// Every signal ends both servers in the same way, or neither.
func TestConformanceSignals(t *testing.T) {
	w := conform{c: testprog.Peer(t, "/usr/bin/tcpserver"), ours: filepath.Join(testprog.Dir(t), "tcpserver")}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, 32, 33:
			continue // stopped; for 32 and 33 see TestSignals
		}
		if signal.Ignored(sig) {
			continue // as SIGHUP is under nohup, in the servers too
		}
		var outcome [2]string
		for i, program := range []string{w.c, w.ours} {
			s := startCommand(t, exec.Command(program, "-1", "-RHl0", "127.0.0.1", "0", "true"))
			s.Cmd.Process.Signal(sig)
			if slices.Contains(ignored, sig) {
				if _, err := testprog.Fetch(s.Port, ""); err != nil {
					t.Errorf("%s, signal %d: %v", program, sig, err)
				}
				continue
			}
			if err := s.Exited(); err != nil {
				t.Fatal(err)
			}
			outcome[i] = fmt.Sprintf("%v %q", s.Cmd.ProcessState, s.Log())
		}
		if outcome[0] != outcome[1] {
			t.Errorf("signal %d: C %s, ours %s", sig, outcome[0], outcome[1])
		}
	}
}
