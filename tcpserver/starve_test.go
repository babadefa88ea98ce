package tcpserver_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/testprog"
)

// setFiles sets the limit of descriptors of a running server and returns what
// it was.
func setFiles(t *testing.T, s *testprog.Server, n uint64) (before uint64) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(s.Cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		t.Skip(err)
	}
	before, limit.Cur = limit.Cur, n
	if err := unix.Prlimit(s.Cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Skip(err)
	}
	return before
}

// used returns the time that a server has spent on a processor.
func used(t *testing.T, s *testprog.Server) (sum time.Duration) {
	t.Helper()
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(s.Cmd.Process.Pid) + "/task/*/schedstat")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Skip(err)
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			t.Skip(err)
		}
		sum += time.Duration(ns)
	}
	if sum == 0 {
		t.Skip("the kernel does not count")
	}
	return sum
}

// starve makes a connection while the new server, which runs cat with -c3, may
// have no more descriptors, and gives it time to be served. It returns the
// share of the time that the server was busy, and what becomes of the
// connection when there are descriptors again.
func starve(t *testing.T, s *testprog.Server) (busy float64, got string) {
	t.Helper()
	// The kernel takes the descriptor before it waits for a connection, so
	// the limit must be there before the server accepts.
	var held [3]client
	for i := range held {
		held[i] = dial(t, s)
		io.WriteString(held[i], "hello\n")
		held[i].line(t)
	}
	files := setFiles(t, s, 0)
	c := dial(t, s)
	io.WriteString(c, "starved\n")
	for _, h := range held {
		h.Close()
	}
	waitLog(t, s, "^tcpserver: status: 0/3$", 2)

	before, began := used(t, s), time.Now()
	c.SetReadDeadline(began.Add(400 * time.Millisecond))
	if _, err := c.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("starved, the server answers, %v", err)
	}
	busy = float64(used(t, s)-before) / float64(time.Since(began))
	setFiles(t, s, files)
	c.SetDeadline(time.Now().Add(patience))
	return busy, c.line(t)
}

// Without descriptors the server waits, unlike C's, and says nothing; when
// there are some it goes on where it was.
func TestNoDescriptors(t *testing.T) {
	t.Parallel()
	// For 0 no file is read at the start, so that the Go runtime's poller, which
	// needs descriptors, is not there.
	for _, host := range []string{"127.0.0.1", "0"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			s := start(t, "-vRHl0", "-c3", host, "0", "cat")
			busy, got := starve(t, s)
			if busy > 0.1 {
				t.Errorf("starved, the server is busy for %.0f %% of the time", 100*busy)
			}
			if got != "starved" {
				t.Errorf("got %q", got)
			}
			if log := stop(t, s); strings.Count(log, "tcpserver: ok ") != 4 || strings.Contains(log, "warning") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}
