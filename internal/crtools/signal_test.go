package crtools_test

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// Signals that kill do so without a word, but for those that a fault of our
// own raises: then the trace is wanted.
func TestSignals(t *testing.T) {
	t.Parallel()
	for sig, want := range map[syscall.Signal]string{
		syscall.SIGTERM: "signal: terminated",
		syscall.SIGQUIT: "signal: quit",
		syscall.SIGUSR1: "signal: user defined signal 1",
		syscall.SIGXFSZ: "signal: file size limit exceeded",
		syscall.SIGSEGV: "exit status 2",
		syscall.SIGFPE:  "exit status 2",
	} {
		state, said := signalled(t, filepath.Join(testprog.Dir(t), "addcr"), sig, false)
		if state != want || (said != "") != strings.HasPrefix(want, "exit") {
			t.Errorf("%v: %s, %.200q", sig, state, said)
		}
	}
}

// signalled sends a signal to a filter at work and returns how it ended and
// what it said on descriptor 2. Its input ends if it is expected to survive: a
// signal may kill one thread of a process when another has read on.
func signalled(t *testing.T, exe string, sig syscall.Signal, survives bool) (state, said string) {
	t.Helper()
	cmd := exec.Command(exe)
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
	io.WriteString(in, "x") // an answer shows that it is at work
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(sig)
	if survives {
		in.Close()
	}
	cmd.Wait()
	return strings.TrimSuffix(cmd.ProcessState.String(), " (core dumped)"), stderr.String()
}
