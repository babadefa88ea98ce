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
		got := strings.Replace(signalled(t, ours, sig), " (core dumped)", "", 1)
		if !strings.HasPrefix(got, want+" ") || !strings.HasSuffix(got, ` "rblsmtpd:  451 x\n"`) {
			t.Errorf("signal %d: %s; want %s", sig, got, want)
		}
	}
}

// signalled sends a signal to a session that has begun, and then QUIT.
func signalled(t *testing.T, program string, sig syscall.Signal) string {
	t.Helper()
	cmd := exec.Command(program, "true")
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
	io.WriteString(in, "quit\r\n")
	rest, _ := io.ReadAll(out)
	cmd.Wait()
	// A signal that does nothing comes before or after the QUIT; one that kills does so before.
	return fmt.Sprintf("%v %q %q", cmd.ProcessState, rest, pids.ReplaceAllString(stderr.String(), " "))
}

var pids = regexp.MustCompile(` pid [0-9]+: `)
