package rblsmtpd_test

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// Signals that kill end a session, without a trace.
func TestSignals(t *testing.T) {
	t.Parallel()
	ours := filepath.Join(testprog.Dir(t), "rblsmtpd")
	for sig, want := range map[syscall.Signal]string{
		syscall.SIGALRM: "signal: alarm clock", syscall.SIGQUIT: "signal: quit", syscall.SIGUSR1: "signal: user defined signal 1",
		syscall.SIGXFSZ: "signal: file size limit exceeded", 40: "signal: signal 40",
		syscall.SIGCHLD: "exit status 0", syscall.SIGWINCH: "exit status 0",
	} {
		got := strings.Replace(signalled(t, ours, sig, !strings.HasPrefix(want, "signal")), " (core dumped)", "", 1)
		if !strings.HasPrefix(got, want+" ") || !strings.HasSuffix(got, ` "rblsmtpd:  451 x\n"`) {
			t.Errorf("signal %d: %s; want %s", sig, got, want)
		}
	}
}

// signalled sends a signal to a session that has begun, and then QUIT if it is
// expected to survive: a signal may kill one thread of a process when another
// has read on.
func signalled(t *testing.T, program string, sig syscall.Signal, survives bool) string {
	t.Helper()
	cmd := exec.Command(program, "-t20", "true")
	cmd.Env = []string{"RBLSMTPD=x"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("220 rblsmtpd.local\r\n"))); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(sig)
	if survives {
		io.WriteString(in, "quit\r\n")
	}
	rest, _ := io.ReadAll(out)
	cmd.Wait()
	return fmt.Sprintf("%v %q %q", cmd.ProcessState, rest, pids.ReplaceAllString(stderr.String(), " "))
}

var pids = regexp.MustCompile(` pid [0-9]+: `)
