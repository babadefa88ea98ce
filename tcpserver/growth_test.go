package tcpserver_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// mixedRules treat clients by their address: one whose variable is longer
// than the kernel takes is dropped.
var mixedRules = "127.0.0.1:allow\n127.0.0.2:deny\n127.0.0.3:allow,BIG=\"" + strings.Repeat("x", 150_000) + "\"\n"

// mixedClients are what may come of a connection to a server that runs cat.
// Each is done when the server is done with it, or leaves that behind.
var mixedClients = []struct {
	from string
	play func(c *net.TCPConn) error
}{
	{"127.0.0.1", func(c *net.TCPConn) error { // served
		if _, err := io.WriteString(c, "hello"); err != nil {
			return err
		}
		c.CloseWrite()
		got, err := io.ReadAll(c)
		if string(got) != "hello" {
			return fmt.Errorf("served %q, %v", got, err)
		}
		return nil
	}},
	{"127.0.0.2", refused}, // denied
	{"127.0.0.3", refused}, // dropped
	{"127.0.0.1", func(c *net.TCPConn) error { return c.SetLinger(0) }}, // reset at once
	{"127.0.0.2", func(c *net.TCPConn) error { return c.SetLinger(0) }},
	{"127.0.0.1", func(c *net.TCPConn) error { // reset while the program reads
		if _, err := io.WriteString(c, "x"); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			return err
		}
		return c.SetLinger(0)
	}},
	{"127.0.0.1", func(c *net.TCPConn) error { // reset while it writes
		if _, err := io.WriteString(c, strings.Repeat("x", 100_000)); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			return err
		}
		return c.SetLinger(0)
	}},
	{"127.0.0.1", func(c *net.TCPConn) error { return nil }}, // closed at once
}

func refused(c *net.TCPConn) error {
	got, err := io.ReadAll(c)
	if len(got) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("refused %q, %v", got, err)
	}
	return nil
}

// mixed makes n connections of all kinds, some at a time.
func mixed(port string, n int) error {
	var kind atomic.Uint64
	return clients(n, 10, func() error {
		k := mixedClients[kind.Add(1)%uint64(len(mixedClients))]
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(k.from)}, Timeout: patience}
		c, err := d.Dial("tcp4", "127.0.0.1:"+port)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		return k.play(c.(*net.TCPConn))
	})
}

// held is what a server uses. Memory is the most that it ever had, in KiB: in
// quiet times it gives back what it will need again.
type held struct{ descriptors, threads, memory int }

// holds returns what the server holds on to: the least of several looks, one
// after each of some connections, since connections under way hold more.
func holds(t *testing.T, s *testprog.Server) (least held) {
	t.Helper()
	proc := "/proc/" + strconv.Itoa(s.Cmd.Process.Pid)
	for i := range 30 {
		fetch(t, s)
		now := held{count(t, proc+"/fd"), count(t, proc+"/task"), status(t, proc, "VmHWM")}
		if i == 0 {
			least = now
		}
		least = held{min(least.descriptors, now.descriptors), min(least.threads, now.threads), min(least.memory, now.memory)}
	}
	return least
}

func count(t *testing.T, folder string) int {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}

// status returns a number of /proc/PID/status, memory in KiB.
func status(t *testing.T, proc, name string) int {
	t.Helper()
	text, err := os.ReadFile(proc + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+name+":")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(line, "kB")))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// noGrowth has run make n connections after as many as a server needs to get
// into its stride.
func noGrowth(t *testing.T, s *testprog.Server, n int, run func(n int) error) {
	t.Helper()
	const stride = 400
	if err := run(stride); err != nil {
		t.Fatal(err)
	}
	before := holds(t, s)
	if err := run(n); err != nil {
		t.Error(err)
	}
	after := holds(t, s)
	t.Logf("%d connections: %+v, then %+v", n, before, after)
	// The runtime keeps threads for system calls that happen to come at the
	// same time, and memory that it has asked for.
	const moreThreads, moreMemory = 4, 2048
	if after.descriptors > before.descriptors || after.threads > before.threads+moreThreads || after.memory > before.memory+moreMemory {
		t.Errorf("%d connections: %+v, then %+v", n, before, after)
	}
}

// Connections leave no descriptor, thread or memory behind, whatever comes
// of them. TestConformanceTwentyThousand makes more.
func TestNoGrowth(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), mixedRules)
	s := start(t, "-qRHl0", "-x", db, "127.0.0.1", "0", "cat")
	noGrowth(t, s, 2000, func(n int) error { return mixed(s.Port, n) })
	for _, args := range [][]string{
		{"-x", db + ".missing", "127.0.0.1", "0", "cat"},
		{"127.0.0.1", "0", "./missing"},
	} {
		s := start(t, append([]string{"-qRHl0"}, args...)...)
		noGrowth(t, s, 500, func(n int) error {
			return clients(n, 10, func() error { _, err := testprog.Fetch(s.Port, ""); return err })
		})
	}
}

// In a quiet time the server gives back the pages of its file that serving has
// touched.
func TestQuietMemory(t *testing.T) {
	t.Parallel()
	s := start(t, "-qRHl0", "127.0.0.1", "0", "echo", "hello")
	proc := "/proc/" + strconv.Itoa(s.Cmd.Process.Pid)
	busy := 0
	for range 20 {
		fetch(t, s)
		busy = max(busy, status(t, proc, "RssFile"))
	}
	look, end := time.NewTicker(50*time.Millisecond), time.After(patience) // no event tells of it
	defer look.Stop()
	for quiet := busy; quiet > busy*8/10; quiet = status(t, proc, "RssFile") {
		select {
		case <-look.C:
		case <-end:
			t.Fatalf("%d KiB of the file in quiet times, %d busy", quiet, busy)
		}
	}
	if got := fetch(t, s); got != "hello\n" {
		t.Errorf("afterwards %q", got)
	}
}
