package tcpserver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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

// database returns the bytes of a rules database.
func database(t *testing.T, rules string) []byte {
	t.Helper()
	data, err := os.ReadFile(compile(t, filepath.Join(t.TempDir(), "text"), rules))
	if err != nil {
		t.Fatal(err)
	}
	return data
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

// While a database is replaced by one that denies everybody, by damaged ones
// and back, nobody is let in, not even by -X.
func TestRulesSwapNeverOpens(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rules.cdb")
	deny := database(t, ":deny\n")
	files := [][]byte{deny, deny[:100], nil, deny[:len(deny)-1], make([]byte, len(deny))}
	put := func(i int) error {
		if err := os.WriteFile(name+".tmp", files[i%len(files)], 0o600); err != nil {
			return err
		}
		return os.Rename(name+".tmp", name)
	}
	if err := put(0); err != nil {
		t.Fatal(err)
	}
	s := start(t, "-RHl0", "-X", "-x", name, "127.0.0.1", "0", "echo", "in")
	done, swapped := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-done:
				swapped <- nil
				return
			default:
				err = put(i)
			}
		}
		<-done
		swapped <- err
	}()
	err := clients(500, 10, func() error {
		got, err := testprog.Fetch(s.Port, "")
		if got != "" {
			return fmt.Errorf("somebody got %q", got)
		}
		return err
	})
	close(done)
	if err := <-swapped; err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Error(err)
	}
	stop(t, s)
}

// Each file counts from the next connection on: a new one, a damaged one, and
// a good one again.
func TestRulesSwapTakesEffect(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rules.cdb")
	compile(t, name, ":allow,V=\"0\"\n")
	s := start(t, "-RHl0", "-x", name, "127.0.0.1", "0", "printenv", "V")
	for i := range 50 {
		want := fmt.Sprintln(i)
		switch i % 4 {
		case 1:
			want = ""
			compile(t, name, ":deny\n")
		case 2:
			want = ""
			if err := os.WriteFile(name+".tmp", []byte("damaged"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(name+".tmp", name); err != nil {
				t.Fatal(err)
			}
		default:
			compile(t, name, fmt.Sprintf(":allow,V=\"%d\"\n", i))
		}
		if got := fetch(t, s); got != want {
			t.Errorf("file %d: got %q, want %q", i, got, want)
		}
	}
	log := stop(t, s)
	if n := strings.Count(log, "tcpserver: warning: dropping connection, unable to read "+name+": protocol error\n"); n != 12 || strings.Count(log, "\n") != n {
		t.Errorf("log:\n%s", log)
	}
}

// Denied clients in numbers leave every place free: a limit of one is enough
// for them and for those who are served among them.
func TestDeniedStorm(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), "127.0.0.1:allow\n:deny\n")
	s := start(t, "-vRHl0", "-c1", "-x", db, "127.0.0.1", "0", "echo", "hello")
	const n = 400
	var turn, served atomic.Int64
	err := clients(n, 50, func() error {
		d := net.Dialer{Timeout: patience}
		allowed := turn.Add(1)%4 == 0
		if !allowed {
			d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
		}
		c, err := d.Dial("tcp4", "127.0.0.1:"+s.Port)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(c)
		switch {
		case allowed && string(got) == "hello\n":
			served.Add(1)
			return nil
		case !allowed && len(got) == 0:
			return nil
		}
		return fmt.Errorf("allowed %v, got %q, %v", allowed, got, err)
	})
	if err != nil {
		t.Error(err)
	}
	waitLog(t, s, "^tcpserver: end ", n)
	waitLog(t, s, "^tcpserver: status: 0/1\n\\z", 1)
	// No process has the number of a denied client; the counts go 0, 1, 0.
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		t.Skip(err)
	}
	maxPid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	log, count := stop(t, s), 1
	for l := range strings.Lines(log) {
		var now int
		if n, _ := fmt.Sscanf(l, "tcpserver: deny %d ", &now); n == 1 && now <= maxPid {
			t.Errorf("a process may have that number, up to %d: %s", maxPid, l)
		}
		if _, err := fmt.Sscanf(l, "tcpserver: status: %d/1", &now); err == nil {
			if now != 1-count {
				t.Fatalf("status goes from %d to %d", count, now)
			}
			count = now
		}
	}
	if a, b := strings.Count(log, "status 25600\n"), strings.Count(log, "status 0\n"); a != n-n/4 || b != n/4 || served.Load() != n/4 {
		t.Errorf("%d denied, %d ended, %d served", a, b, served.Load())
	}
}

// When there may be no more processes a connection is dropped with a
// warning, and the server goes on.
func TestProcessLimit(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run the server as a user without other processes")
	}
	cmd := command(t, "-1", "-vRHl0", "-B", "banner\n", "127.0.0.1", "0", "cat")
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
		if got := held[len(held)-1].line(t); got != "banner" {
			t.Errorf("got %q", got)
		}
	}
	waitLog(t, s, "^tcpserver: warning: dropping connection, unable to fork: temporary failure\ntcpserver: status: [0-9]+/40$", 1)
	waitLog(t, s, "^tcpserver: (ok|warning)", 30)
	for _, c := range held {
		c.Close()
	}
	waitLog(t, s, "^tcpserver: status: 0/40$", 2)
	if got, err := testprog.Fetch(s.Port, "again"); got != "banner\nagain" {
		t.Errorf("afterwards the program answers %q, %v", got, err)
	}
	stop(t, s)
}

// Where the user may not even have the threads of the Go runtime, the server
// does not start and says so.
func TestTooFewProcesses(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run the server as a user without other processes")
	}
	for _, tool := range []string{"prlimit", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	const nobody = 54322 + 1<<16
	program := testprog.Copy(t, command(t).Path, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "prlimit", "--nproc=3", "setpriv", "--reuid", strconv.Itoa(nobody), "--clear-groups",
		program, "-1RHl0", "127.0.0.1", "0", "true")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err == nil || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "runtime: ") {
		t.Errorf("%v, %q, %.200q", err, stdout.String(), stderr.String())
	}
}
