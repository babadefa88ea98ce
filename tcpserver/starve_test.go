package tcpserver_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// used returns the time that a server has spent on a processor, and how long
// it had to wait for one.
func used(t *testing.T, s *testprog.Server) (ran, waited time.Duration) {
	t.Helper()
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(s.Cmd.Process.Pid) + "/task/*/schedstat")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Skip(err)
		}
		for i, sum := range []*time.Duration{&ran, &waited} {
			ns, err := strconv.ParseInt(strings.Fields(string(text))[i], 10, 64)
			if err != nil {
				t.Skip(err)
			}
			*sum += time.Duration(ns)
		}
	}
	if ran == 0 {
		t.Skip("the kernel does not count")
	}
	return ran, waited
}

// starve makes a connection while the new server, which runs cat with -c3, may
// have no more descriptors, and gives it time to be served. It returns the
// share of the time that the server was busy, that in which it was or would
// have been had the machine nothing else to do, and what becomes of the
// connection when there are descriptors again.
func starve(t *testing.T, s *testprog.Server) (busy, willing float64, got string) {
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

	ran, waited := used(t, s)
	began := time.Now()
	c.SetReadDeadline(began.Add(400 * time.Millisecond))
	if _, err := c.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("starved, the server answers, %v", err)
	}
	ranNow, waitedNow := used(t, s)
	took := float64(time.Since(began))
	busy = float64(ranNow-ran) / took
	willing = busy + float64(waitedNow-waited)/took
	setFiles(t, s, files)
	c.SetDeadline(time.Now().Add(patience))
	return busy, willing, c.line(t)
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
			busy, _, got := starve(t, s)
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

// Under too low a limit of descriptors the server says so at once. Under the
// least with which it starts, it serves, with all that needs descriptors.
func TestFewestDescriptors(t *testing.T) {
	t.Parallel()
	d := startSlowDNS(t)
	d.reply()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), ":deny\n")
	limited := func(files int) *exec.Cmd {
		cmd := exec.Command("sh", "-c", `ulimit -n $FILES; exec $TCPSERVER -1 -vp -t1 -c100 -x $DB 127.0.0.1 0 printenv V`)
		cmd.Env = append(os.Environ(), "TCPSERVER="+command(t).Path, "DB="+db, "DNSCACHEIP="+d.addr, "FILES="+strconv.Itoa(files))
		return cmd
	}
	// The test may have inherited descriptors, which the server then has.
	var s *testprog.Server
	for files := 8; s == nil; files++ {
		var err error
		if s, err = testprog.StartServer(limited(files)); err == nil {
			t.Cleanup(s.Kill)
		} else if text := err.Error(); files > 30 ||
			!strings.HasSuffix(text, "exit status 111: tcpserver: fatal: unable to start: process cannot open more files\n") {
			t.Fatalf("with %d descriptors: %.300s", files, text)
		}
	}
	for i := range 5 {
		want := strconv.Itoa(i) + "\n"
		compile(t, db, ":allow,V=\""+strconv.Itoa(i)+"\"\n")
		err := clients(20, 10, func() error {
			if got, err := testprog.Fetch(s.Port, ""); got != want || err != nil {
				return fmt.Errorf("got %q, %v; want %q", got, err, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if n := len(d.asked); n != 5*20*2 { // local and remote name
		t.Errorf("%d queries", n)
	}
	if log := stop(t, s); strings.Contains(log, "warning") {
		t.Errorf("log:\n%s", log)
	}
}
