package recordio_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/testprog"
)

// patience bounds each wait, so that what hangs fails its test.
const patience = 60 * time.Second

// A caller has a program under recordio or fixcrio.
type caller struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *os.File      // what the program reads
	out *bufio.Reader // what it writes
	log *bufio.Reader // descriptor 2
	say *os.File      // descriptor 3, which the copier has nothing to do with

	outFile *os.File
}

// ours returns the path of one of our programs.
func ours(t *testing.T, name string) string { return filepath.Join(testprog.Dir(t), name) }

// call starts argv with pipes to its caller, or with one socket.
func call(t *testing.T, socket bool, argv ...string) *caller {
	t.Helper()
	c := &caller{t: t, cmd: exec.Command(argv[0], argv[1:]...)}
	var logFile, logIn, said *os.File
	logFile, logIn = pipe(t)
	said, c.say = pipe(t)
	c.log = bufio.NewReader(logFile)
	c.cmd.Stderr, c.cmd.ExtraFiles = logIn, []*os.File{said}
	if socket {
		both := socketpair(t)
		c.cmd.Stdin, c.cmd.Stdout = both[1], both[1]
		c.in, c.outFile = both[0], both[0]
	} else {
		var stdin, stdout *os.File
		stdin, c.in = pipe(t)
		c.outFile, stdout = pipe(t)
		c.cmd.Stdin, c.cmd.Stdout = stdin, stdout
	}
	c.out = bufio.NewReader(c.outFile)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []any{c.cmd.Stdin, c.cmd.Stdout, logIn, said} {
		f.(*os.File).Close()
	}
	for _, f := range []*os.File{c.in, c.outFile, logFile} {
		f.SetDeadline(time.Now().Add(patience))
	}
	late := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
	t.Cleanup(func() { late.Stop(); c.cmd.Process.Kill(); c.cmd.Wait() })
	return c
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// socketpair returns our end, which obeys deadlines, and the program's, which
// takes little at once.
func socketpair(t *testing.T) (ends [2]*os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fds[1], unix.SOL_SOCKET, unix.SO_SNDBUF, 1); err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(fds[0], true)
	for i, fd := range fds {
		ends[i] = os.NewFile(uintptr(fd), "socket")
		t.Cleanup(func() { ends[i].Close() })
	}
	return ends
}

// write writes to the program.
func (c *caller) write(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, text); err != nil {
		c.t.Fatal(err)
	}
}

// end ends what the program reads.
func (c *caller) end() {
	if c.in == c.outFile {
		raw, err := c.in.SyscallConn()
		if err == nil {
			raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_WR) })
		}
		return
	}
	c.in.Close()
}

// reads wants text from the program.
func (c *caller) reads(text string) {
	c.t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c.out, got); err != nil || string(got) != text {
		c.t.Fatalf("the program wrote %q, %v; want %q", got[:n], err, text)
	}
}

// readsEnd wants no more from the program.
func (c *caller) readsEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.out); err != nil || len(rest) > 0 {
		c.t.Fatalf("the program also wrote %.100q, %v", rest, err)
	}
}

// logs waits for a line on descriptor 2, without the pid.
func (c *caller) logs(want string) {
	c.t.Helper()
	for {
		line, err := c.log.ReadString('\n')
		if _, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); err == nil && text == want {
			return
		}
		if err != nil {
			c.t.Fatalf("the log ends (%v) without %q", err, want)
		}
	}
}

// wait waits for the program and wants its state: "exit status 7".
func (c *caller) wait(want string) {
	c.t.Helper()
	c.cmd.Wait()
	if got := c.cmd.ProcessState.String(); got != want {
		c.t.Errorf("the program ended with %s, want %s", got, want)
	}
}

// copier returns the pid of the process whose parent is the program.
func (c *caller) copier() int {
	c.t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, _ := os.ReadFile(name)
		_, rest, _ := bytes.Cut(text, []byte(") "))
		if f := strings.Fields(string(rest)); len(f) > 1 && f[1] == strconv.Itoa(c.cmd.Process.Pid) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			return pid
		}
	}
	c.t.Fatal("no copier")
	return 0
}

// descriptors returns what a process would hand on: number, file, access.
func descriptors(t *testing.T, pid int) map[int]string {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil || len(names) == 0 {
		t.Fatalf("no descriptors: %v", err)
	}
	all := map[int]string{}
	for _, name := range names {
		info, _ := os.ReadFile(name)
		_, text, _ := strings.Cut(string(info), "flags:")
		flags, _ := strconv.ParseInt(strings.Fields(text)[0], 8, 64)
		if flags&syscall.O_CLOEXEC != 0 {
			continue
		}
		fd, _ := strconv.Atoi(filepath.Base(name))
		file, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		all[fd] = fmt.Sprintf("%s %s", file, []string{"r", "w", "rw"}[flags&syscall.O_ACCMODE])
	}
	return all
}
