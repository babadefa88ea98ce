//go:build conformance

package tcpclient

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// The program reads to the end first, so that it is not this end of the
// connection that waits: then the next one can have the same port.
const showEnviron = "cat <&6; exec env"

func TestConformanceEnvironment(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	for _, v := range []string{"-q", "-Q", "-v"} {
		for _, names := range []string{"-H", "-h"} {
			for _, info := range []string{"-R", "-t1"} {
				for _, local := range [][]string{nil, {"-lname%:x"}, {"-l", ""}} {
					for _, host := range greeting[:5] {
						args := append([]string{v, names, info}, local...)
						w.compare(t, run{
							args: append(args, host, "7000", "sh", "-c", showEnviron),
							environ: []string{
								"TCPREMOTEHOST=old", "TCPREMOTEINFO=old", "TCPLOCALHOST=old", "TCPLOCALPORT=old", "PROTO=old", "INHERITED=old",
							},
						})
					}
				}
			}
		}
	}
}

func TestConformanceOptions(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	const basic = "-vRHl0"
	show := []string{"sh", "-c", showEnviron}
	for _, options := range [][]string{
		{basic, "-D"}, {basic, "-Dd"}, {basic, "-i", "127.0.0.9"}, {basic, "-i127.0.0.265junk"}, {basic, "-i", "0.0.0.0"},
		{basic, "-p", "7100"}, {basic, "-p72637"}, {basic, "-p", "x"}, {basic, "-i", "127.0.0.3", "-p", "7102x"},
		{basic, "-i", "192.0.2.1"}, {"-qRHl0", "-i", "192.0.2.1"}, {basic, "-i127.0.0.1", "-p7000"},
		{basic, "-i", "1.2.3"}, {basic, "-i", ""}, {basic, "-i0"}, {"-qi", "x"}, {basic, "-i", " 127.0.0.1"},
		{basic, "-T5"}, {basic, "-T", "4294967290+3"}, {basic, "-T", ""}, {"-vHl0", "-t", "4294967298"},
		{"-vvqQRHl0"}, {"-rRhHQl0"}, {"-l0", "-hr"}, {basic, "--"}, {basic, "--junk"}, {basic, "-Z"}, {"-q1"}, {basic, "-"},
	} {
		w.compare(t, run{args: append(append(options, "127.0.0.1", "7000"), show...)})
	}
	for _, args := range [][]string{
		{}, {"0"}, {"0", "7000"}, {"-q"}, {"-q", "0", "7000"}, {"-q", "0", "70x"}, {"-T"}, {"-vl"}, {"-:"}, {"--help"}, {"-i"},
		{basic, "0", "70x", "env"}, {basic, "0", "nosuchservice"}, {basic, "0", "7000 ", "env"}, {basic, "0", "-1", "env"}, {basic, "0", "domain/tcp", "env"},
		{basic, "127.0.0.3", "smtp", "env"}, {basic, "127.0.0.3", "mail", "env"}, {basic, "127.0.0.3", "discard", "env"}, {basic, "127.0.0.3", "", "env"}, {basic, "127.0.0.3", "65536", "env"},
		{basic, "127.0.0.3", "72536", "sh", "-c", showEnviron}, {basic, "127.0.0.3", "0007000", "sh", "-c", showEnviron},
	} {
		w.compare(t, run{args: args})
	}
	for _, args := range [][]string{{basic, "-p1", "0", "7000", "env"}, {"-q", "-p1", "0", "7000", "env"}} {
		w.compare(t, run{args: args, user: 65533})
	}
}

func TestConformanceHosts(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	for _, host := range []string{
		"", "0", "00", "0.0.0.0", "127.0.0.1", "127.0.0.257", "[127.0.0.2]", "1[27.0].0.1", "127.0.0.1.", ".127.0.0.1", "127..0.1", "127.1", "1.2.3", "0x7f.0.0.1",
		"127.0.0.3.127.0.0", "127.0.0.21.127.0.0.22.127.0.0.3", "127.0.0.21.127.0.0.22", "127.0.0.1.127.0.0.2", " 127.0.0.1",
		"near.example", "NEAR.example.", "near", "nowhere.example", "text.example", "a", "x.up", "near.up", "what.ever.drop", "near.", "+", "near+", "x+near.example",
		"we ird", "a..b", ".", "*", "192.0.2.1", "255.255.255.255", "224.0.0.1", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130) + "example",
	} {
		for _, environ := range [][]string{nil, {"DNSREWRITEFILE=rewrite"}, {"LOCALDOMAIN=nowhere example.net"}, {"LOCALDOMAIN="}} {
			w.compare(t, run{args: []string{"-vRHl0", host, "7000", "sh", "-c", showEnviron}, environ: environ})
		}
	}
	for _, r := range []run{
		{args: []string{"-RHl0", "refused.example", "7000", "env"}, sorted: true},
		{args: []string{"-qRHl0", "refused.example", "7000", "env"}},
		{args: []string{"-RHl0", "-i", "192.0.2.1", "refused.example", "7000", "env"}},
		{args: []string{"-RHl0", "0", "7000", "env"}, environ: []string{"DNSREWRITEFILE=dir"}},
		{args: []string{"-RHl0", "127.0.0.1", "7000", "env"}, environ: []string{"DNSREWRITEFILE=dir"}},
		{args: []string{"-RHl0", "127.0.0.1", "7000", "env"}, environ: []string{"DNSREWRITEFILE=plain/x"}},
		{args: []string{"-qRHl0", "127.0.0.1", "7000", "env"}, environ: []string{"DNSREWRITEFILE=plain/x"}},
	} {
		w.compare(t, r)
	}
}

// A connection to itself leaves its port used, so each has its own.
func TestConformanceItself(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	observe := func(program, port string) string {
		r := run{args: []string{"-vRHl0", "-i127.0.0.3", "-p", port, "127.0.0.3", port, "sh", "-c", "echo me >&7; head -n 1 <&6; exec env"}}
		return strings.ReplaceAll(w.observe(t, program, r), port, "PORT")
	}
	if c, ours := observe(w.c, "7300"), observe(w.ours, "7301"); c != ours || !strings.Contains(c, "\nme\n") {
		t.Errorf("C:\n%s\nours:\n%s", c, ours)
	}
}

// These cost seconds.
func TestConformancePatience(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	for _, r := range []run{
		{args: []string{"-vRHl0", "broken.example", "7000", "env"}},
		{args: []string{"-vRl0", "127.0.0.7", "7000", "sh", "-c", showEnviron}, environ: []string{"TCPREMOTEHOST=old"}},
		{args: []string{"-vHl0", "-t1", "127.0.0.6", "7000", "sh", "-c", showEnviron}},
		{args: []string{"-vHl0", "-t0", "127.0.0.6", "7000", "sh", "-c", showEnviron}},
		{args: []string{"-vRHl0", "-T1", "full.example", "7000", "env"}},
		{args: []string{"-vRHl0", "-T1+2", "127.0.0.8", "7000", "env"}},
		{args: []string{"-qRHl0", "-T1+0", "127.0.0.8", "7000", "env"}},
		{args: []string{"-vRHl0", "-T0", "127.0.0.8", "7000", "env"}},
		{args: []string{"-vRHl0", "-Tx", "127.0.0.1", "7000", "sh", "-c", showEnviron}},
		{args: []string{"-vRHl0", "-T4294967296+1", "127.0.0.8", "7000", "env"}},
		{args: []string{"-vRHl0", "-T1+1", "127.0.0.8.127.0.0.9", "7000", "env"}},
		{args: []string{"-vRHl0", "-T0+1", "127.0.0.8.127.0.0.9", "7000", "env"}},
		{args: []string{"-vRHl0", "-T1", "127.0.0.8.127.0.0.9", "7000", "env"}},
		{args: []string{"-vRHl0", "-T1+9", "127.0.0.8.127.0.0.21.127.0.0.3", "7000", "sh", "-c", showEnviron}},
		{args: []string{"-vRHl0", "-T1", "127.0.0.8.127.0.0.21.127.0.0.3", "7000", "sh", "-c", showEnviron}},
		{args: []string{"-vRHl0", "-T1+2", "127.0.0.8.127.0.0.21.192.0.2.1", "7000", "env"}},
		{args: []string{"-vRHl0", "-T", "1x3", "127.0.0.8.127.0.0.9", "7000", "env"}},
	} {
		r.timed = true
		w.compare(t, r)
	}
}

func TestConformanceProgram(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	for _, r := range []run{
		{args: []string{"env", "A=b"}},
		{args: []string{"missing"}},
		{args: []string{"./missing"}},
		{args: []string{"./dir"}},
		{args: []string{"dir"}, environ: []string{"PATH=/nowhere:."}},
		{args: []string{"./plain"}},
		{args: []string{"plain/x"}},
		{args: []string{""}},
		{args: []string{"script"}, environ: []string{"PATH="}},
		{args: []string{"script"}, environ: []string{"PATH=plain:."}},
		{args: []string{"plain"}, environ: []string{"PATH=/nowhere:"}},
		{args: []string{"sh", "-c", "exit 3"}},
		{args: []string{"sh", "-c", "kill -9 $$"}},
		{args: []string{"sh", "-c", "kill -PIPE $$"}},
		{args: []string{"sh", "-c", "echo to the server >&7 && umask && ulimit -n"}},
		{args: []string{"env"}, environ: []string{"PATH=/usr/bin", "TCPREMOTEHOST=", "=x", "novalue", "TCP=x"}},
	} {
		for _, v := range []string{"-qRHl0", "-vRHl0"} {
			r := r
			r.args = append([]string{v, "127.0.0.1", "7000"}, r.args...)
			w.compare(t, r)
		}
	}
}

func TestConformanceDescriptors(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	const list = "exec find /proc/self/fd -type l -printf '%f %l\\n'"
	for _, shell := range []string{
		"", "exec 6</dev/null", "exec 7</dev/null 5</dev/null", "exec 6</dev/zero 7</dev/zero", "exec 3</dev/zero 4</dev/zero 5</dev/zero",
		"exec 3</dev/zero 4</dev/zero 5</dev/zero 6</dev/zero 7</dev/zero 8</dev/zero 9</dev/zero", "exec 8</dev/zero",
		"exec <&-", "exec 2>&-", "exec <&- 2>&-", "exec 3>&1 >&-", "exec 3>&1 >&- 2>&- <&-", "exec 3>&1 <&- >&- 2>&- 6</dev/zero 7</dev/zero",
	} {
		out := ""
		if strings.Contains(shell, ">&1") {
			out = " >&3"
		}
		for _, what := range []string{list, "exec grep flags /proc/self/fdinfo/6 /proc/self/fdinfo/7", "exec grep Sig[BIC] /proc/self/status", showEnviron} {
			w.compare(t, run{args: []string{"-RHl0", "127.0.0.1", "7000", "sh", "-c", what + out}, shell: shell})
			w.compare(t, run{args: []string{"near.example", "7000", "sh", "-c", what + out}, shell: shell})
		}
	}
	for _, shell := range []string{"trap '' HUP", "trap '' PIPE", "trap '' HUP INT QUIT PIPE TERM USR1 USR2 CHLD ALRM", "trap '' TSTP TTIN TTOU XFSZ XCPU"} {
		w.compare(t, run{args: []string{"near.example", "7000", "grep", "Sig[BIC]", "/proc/self/status"}, shell: shell})
	}
	for _, shell := range []string{"ulimit -n 8; exec 3<&- 4<&- 5<&-", "ulimit -n 7; exec 3<&- 4<&- 5<&-", "ulimit -n 6; exec 3<&- 4<&- 5<&-"} {
		w.compare(t, run{args: []string{"-RHl0", "0", "7000", "true"}, shell: shell})
	}
}

// Messages that nobody reads do not end the program, whatever SIGPIPE was.
func TestConformanceUnreadMessages(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t, zoneText)
	for _, program := range []string{w.c, w.ours} {
		cmd := exec.Command(program, "-vRHl0", "127.0.0.21.127.0.0.1", "7000", "cat", "/proc/self/fdinfo/6")
		if out := unread(t, cmd); !strings.Contains(out, "flags") {
			t.Errorf("%s: %q, %v", program, out, cmd.ProcessState)
		}
	}
}

// Every signal ends both programs in the same way while they wait for a
// connection.
func TestConformanceSignals(t *testing.T) {
	w := world{c: testprog.Peer(t, "/usr/bin/tcpclient"), ours: filepath.Join(testprog.Dir(t), "tcpclient")}
	port := strconv.Itoa(int(fill(t, "127.0.0.1", 0)))
	for _, sig := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2,
		syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGIO, syscall.SIGPWR, 40,
	} {
		var outcome [2]string
		for i, program := range []string{w.c, w.ours} {
			outcome[i] = interrupt(t, exec.Command(program, "-RHl0", "-T3600", "127.0.0.1", port, "true"), sig)
		}
		if outcome[0] != outcome[1] {
			t.Errorf("signal %d: C %s, ours %s", sig, outcome[0], outcome[1])
		}
	}
}

// An option fault names the program by what follows the last slash of argv[0],
// which may be nothing.
func TestConformanceName(t *testing.T) {
	for _, name := range []string{"", "tc", "a/tc", "/", "a/", "a//", ".", "tc/.", "../tc"} {
		var got [2]string
		for i, program := range []string{testprog.Peer(t, "/usr/bin/tcpclient"), filepath.Join(testprog.Dir(t), "tcpclient")} {
			cmd := exec.Cmd{Path: program, Args: []string{name, "-Z"}}
			out, err := cmd.CombinedOutput()
			got[i] = fmt.Sprintf("%v %q", err, out)
		}
		if got[0] != got[1] {
			t.Errorf("argv[0] %q: C %s, ours %s", name, got[0], got[1])
		}
	}
}

// unread runs cmd with a standard error that has no reader, and returns its
// standard output.
func unread(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	r, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer stderr.Close()
	var stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	cmd.Run()
	return stdout.String()
}
