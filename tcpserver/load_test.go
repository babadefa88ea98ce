package tcpserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

// clients makes n connections, c at a time, and gives each to do.
func clients(n, c int, do func() error) error {
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	failed := make(chan error, n)
	var wg sync.WaitGroup
	for range c {
		wg.Go(func() {
			for range work {
				if err := do(); err != nil {
					failed <- err
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// No more than -c programs run at the same time, by what the programs say
// themselves (each tells when it runs, and ends when it is told to, which none
// is before the limit is reached) and by the counts.
func TestLimitHolds(t *testing.T) {
	t.Parallel()
	const limit = 5
	s := start(t, "-vRHl0", "-c"+strconv.Itoa(limit), "127.0.0.1", "0", "sh", "-c", "echo run; read end")
	var running, most atomic.Int64
	full := make(chan struct{})
	fill := sync.OnceFunc(func() { close(full) })
	err := clients(300, 300, func() error {
		c, err := connect(s)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.in.ReadString('\n'); err != nil {
			return err
		}
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n >= limit {
			fill()
		}
		<-full
		running.Add(-1)
		_, err = fmt.Fprintln(c, "end")
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if most.Load() > limit {
		t.Errorf("%d programs at the same time, want at most %d", most.Load(), limit)
	}
	for l := range strings.Lines(stop(t, s)) {
		var n int
		if _, err := fmt.Sscanf(l, "tcpserver: status: %d/5", &n); err == nil && n > limit {
			t.Errorf("log: %s", l)
		}
	}
}

// -c 0 starts and never serves.
func TestLimitZero(t *testing.T) {
	t.Parallel()
	s := start(t, "-vRHl0", "-c0", "127.0.0.1", "0", "echo", "hello")
	dial(t, s)
	waitLog(t, s, "^tcpserver: status: 0/0$", 1)
	if log := stop(t, s); log != "tcpserver: status: 0/0\n" {
		t.Errorf("log %q", log)
	}
}

// Under load each line is whole, each connection has its lines in their
// order, and the counts go up and down by one.
func TestStatusUnderLoad(t *testing.T) {
	t.Parallel()
	const n = 400
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), ":allow\n127.0.0.2:deny\n")
	s := start(t, "-vRHl0", "-c50", "-x", db, "127.0.0.1", "0", "true")
	if err := clients(n, 40, func() error { _, err := testprog.Fetch(s.Port, ""); return err }); err != nil {
		t.Error(err)
	}
	waitLog(t, s, "^tcpserver: end ", n)
	waitLog(t, s, "^tcpserver: status: 0/50\n\\z", 1)
	line := regexp.MustCompile(`^tcpserver: (?:(status): ([0-9]+)/50|(pid) ([0-9]+) from 127\.0\.0\.1|(ok) ([0-9]+) 0:127\.0\.0\.1:[0-9]+ :127\.0\.0\.1::[0-9]+|(end) ([0-9]+) status 0)$`)
	state := make(map[string]string)
	count, ended := 0, 0
	for l := range strings.Lines(stop(t, s)) {
		m := line.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
		if m == nil {
			t.Fatalf("not a line: %q", l)
		}
		word, value := strings.Join([]string{m[1], m[3], m[5], m[7]}, ""), strings.Join([]string{m[2], m[4], m[6], m[8]}, "")
		switch before := state[value]; {
		case word == "status":
			got, _ := strconv.Atoi(value)
			if got != count+1 && got != count-1 && count+got != 0 || got > 50 {
				t.Errorf("status goes from %d to %d", count, got)
			}
			count = got
		case word == "pid" && before == "", word == "ok" && before == "pid":
			state[value] = word
		case word == "end" && before == "ok":
			delete(state, value) // the kernel may give it out again
			ended++
		default:
			t.Errorf("%s of %s after %q", word, value, before)
		}
	}
	if len(state) != 0 || ended != n {
		t.Errorf("%d connections ended, %d without an end", ended, len(state))
	}
}

func compile(t *testing.T, name, text string) string {
	t.Helper()
	if err := replace(name, text); err != nil {
		t.Fatal(err)
	}
	return name
}

// replace makes a rules database as tcprules does: by renaming.
func replace(name, text string) error {
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := rules.CompileText(strings.NewReader(text), f); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// A new database takes effect while connections come, and none meets half
// of it.
func TestRulesSwapUnderLoad(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rules.cdb")
	text := func(i int) string { return fmt.Sprintf(":allow,V=\"%d\",W=\"%d\"\n", i, i) }
	compile(t, name, text(0))
	s := start(t, "-RHl0", "-x", name, "127.0.0.1", "0", "sh", "-c", "echo $V $W")
	var swaps atomic.Int64
	done := make(chan struct{})
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		for {
			select {
			case <-done:
				return
			default:
				if err := replace(name, text(int(swaps.Load()+1))); err != nil {
					t.Error(err)
					return
				}
				swaps.Add(1)
			}
		}
	}()
	err := clients(300, 10, func() error {
		before := swaps.Load()
		got, err := testprog.Fetch(s.Port, "")
		if err != nil {
			return err
		}
		var v, w int64
		if n, _ := fmt.Sscan(got, &v, &w); n != 2 || v != w || v < before {
			return fmt.Errorf("variables %q with file %d", got, before)
		}
		return nil
	})
	close(done)
	<-swapped
	if err != nil {
		t.Error(err)
	}
	if log := stop(t, s); log != "" {
		t.Errorf("log %q", log)
	}
}

// When there may be no more processes a connection is dropped with a
// warning, and the server goes on.
func TestProcessLimit(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run the server as a user without other processes")
	}
	cmd := command(t, "-1", "-vRHl0", "127.0.0.1", "0", "cat")
	const nobody = 54321 + 1<<16
	cmd.Path, cmd.Dir = testprog.Copy(t, cmd.Path, t.TempDir()), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	// The server inherits the limit; root itself is not bound by it.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 30, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	s := startCommand(t, cmd)
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
		t.Error(err)
	}
	var held []client
	for range 30 {
		held = append(held, dial(t, s))
	}
	waitLog(t, s, "^tcpserver: warning: dropping connection, unable to fork: temporary failure\ntcpserver: status: [0-9]+/40$", 1)
	waitLog(t, s, "^tcpserver: (ok|warning)", 30)
	for _, c := range held {
		c.Close()
	}
	waitLog(t, s, "^tcpserver: status: 0/40$", 2)
	if got, err := testprog.Fetch(s.Port, "again"); got != "again" {
		t.Errorf("afterwards the program answers %q, %v", got, err)
	}
	stop(t, s)
}
