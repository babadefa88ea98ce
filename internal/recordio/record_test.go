package recordio_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The records were taken from ucspi-tcp 0.88's recordio.
func TestRecord(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"\n", []string{" "}},
		{"a", []string{"a+"}},
		{"a\n\nb", []string{"a ", " ", "b+"}},
		{"a\r\n\x00%s\n", []string{"a\r ", "\x00%s "}},
		{x(255) + "\n", []string{x(255) + " "}},
		{x(256), []string{x(256) + "+"}},
		{x(256) + "\n", []string{x(256) + "+", " "}},
		{"a\n" + x(255), []string{"a ", x(254) + "+", "x+"}},
		{x(4096) + "a\n", append(repeat(x(256)+"+", 16), "a ")},
		{strings.Repeat("\n", 9000), repeat(" ", 9000)},
	} {
		dir := t.TempDir()
		in := filepath.Join(dir, "in")
		if err := os.WriteFile(in, []byte(tt.in), 0o600); err != nil {
			t.Fatal(err)
		}
		stdin, err := os.Open(in)
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		var out, log bytes.Buffer
		cmd := exec.Command(ours(t, "recordio"), "cat")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &log
		if err := cmd.Run(); err != nil || out.String() != tt.in {
			t.Errorf("%.20q: %v, output %.20q", tt.in, err, out.String())
		}
		in1, out1 := split(log.String())
		want := strings.Join(append(tt.want, "[EOF]"), "\n") + "\n"
		if in1 != want || out1 != want {
			t.Errorf("%.20q is recorded as\n%.100q and\n%.100q, want\n%.100q", tt.in, in1, out1, want)
		}
	}
}

// A pipe keeps the lines of a record whole, whoever else writes to it.
func TestRecordIsWrittenInLines(t *testing.T) {
	t.Parallel()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	log, stderr := os.NewFile(uintptr(fds[0]), "log"), os.NewFile(uintptr(fds[1]), "stderr")
	defer log.Close()
	cmd := exec.Command(ours(t, "recordio"), "cat")
	cmd.Stdin, cmd.Stderr = strings.NewReader(strings.Repeat("a line\n", 10_000)), stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr.Close()
	packet := make([]byte, 1<<16)
	for {
		n, err := log.Read(packet)
		if err == io.EOF {
			break
		}
		if err != nil || n > 4096 || packet[n-1] != '\n' {
			t.Fatalf("one write of %d bytes, %v: %.20q", n, err, packet[:n])
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func repeat(s string, n int) []string {
	return strings.Split(strings.Repeat(s+"\n", n-1)+s, "\n")
}

// split returns the lines of a record for each direction, without the pid.
func split(record string) (in, out string) {
	var b [2]strings.Builder
	for line := range strings.Lines(record) {
		_, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(rest, "< "):
			b[0].WriteString(rest[2:])
		case strings.HasPrefix(rest, "> "):
			b[1].WriteString(rest[2:])
		default:
			b[0].WriteString("no record: " + line)
		}
	}
	return b[0].String(), b[1].String()
}
