//go:build linux && (amd64 || arm64)

package inherit

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// become makes this process one that was started as o says, until the end of
// the test.
func become(t *testing.T, o origin) {
	t.Helper()
	o.entered = 1
	state = o
	t.Cleanup(func() { state = origin{} })
}

// bothWays runs a test with the kernel's clone3, and where there is none.
func bothWays(t *testing.T, test func(t *testing.T)) {
	become(t, origin{})
	for name, missing := range map[string]bool{"clone3": false, "no clone3": true} {
		t.Run(name, func(t *testing.T) {
			noClone3.Store(missing)
			defer noClone3.Store(false)
			test(t)
			if !missing && noClone3.Load() {
				t.Skip("the kernel has no clone3")
			}
		})
	}
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

// shell returns what a shell script prints when it is started with p's Dir,
// Environ and Files, the second of which is a pipe.
func shell(t *testing.T, p Program, script string, args ...string) string {
	t.Helper()
	r, w := pipe(t)
	p.File, p.Args = "/bin/sh", append([]string{"sh", "-c", script, "sh"}, args...)
	p.Files = slices.Clone(p.Files)
	for len(p.Files) < 2 {
		p.Files = append(p.Files, None)
	}
	p.Files[1] = int(w.Fd())
	pid, err := Start(&p)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	out, err := io.ReadAll(r)
	var ws syscall.WaitStatus
	if _, waited := syscall.Wait4(pid, &ws, 0, nil); err != nil || waited != nil || ws != 0 {
		t.Errorf("%q: %v, %v, status %#x", script, err, waited, ws)
	}
	return strings.TrimSpace(string(out))
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

func TestStart(t *testing.T) {
	dir := t.TempDir()
	bothWays(t, func(t *testing.T) {
		if got, want := shell(t, Program{Dir: dir, Environ: []string{"A=b"}}, `echo $1 $A; pwd`, "x"), "x b\n"+dir; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := shell(t, Program{Files: []int{None}}, `test -e /proc/$$/fd/0 || echo closed`); got != "closed" {
			t.Errorf("None: %q", got)
		}
	})
}

// Descriptors whose numbers are those of others go where they belong.
func TestStartExchangesDescriptors(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		readA, a := pipe(t)
		readB, b := pipe(t)
		files := make([]int, max(a.Fd(), b.Fd())+1)
		for i := range files {
			files[i] = None
		}
		files[a.Fd()], files[b.Fd()] = int(b.Fd()), int(a.Fd())
		before := descriptors(t)
		shell(t, Program{Files: files}, `echo in A >/proc/$$/fd/$1; echo in B >/proc/$$/fd/$2`, strconv.Itoa(int(a.Fd())), strconv.Itoa(int(b.Fd())))
		if after := descriptors(t) - 1; after != before { // shell keeps a pipe's end
			t.Errorf("%d descriptors, then %d", before, after)
		}
		a.Close()
		b.Close()
		gotA, _ := io.ReadAll(readA)
		gotB, _ := io.ReadAll(readB)
		if string(gotA) != "in B\n" || string(gotB) != "in A\n" {
			t.Errorf("got %q and %q", gotA, gotB)
		}
	})
}

// What is close-on-exec of 0 to 2 stays out of a program that is not given
// them: it was closed when this process was started.
func TestStartKeepsClosed(t *testing.T) {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, 2, syscall.F_GETFD, 0)
	if errno != 0 {
		t.Skip(errno)
	}
	defer syscall.Syscall(syscall.SYS_FCNTL, 2, syscall.F_SETFD, flags)
	bothWays(t, func(t *testing.T) {
		const script = `test -e /proc/$$/fd/2 && echo open || echo closed`
		syscall.CloseOnExec(2)
		if got := shell(t, Program{}, script); got != "closed" {
			t.Errorf("closed on exec: %q", got)
		}
		syscall.Syscall(syscall.SYS_FCNTL, 2, syscall.F_SETFD, 0)
		if got := shell(t, Program{}, script); got != "open" {
			t.Errorf("not closed on exec: %q", got)
		}
	})
}

// A start that fails says why and leaves nothing behind, neither a process to
// wait for nor a descriptor.
func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	bothWays(t, func(t *testing.T) {
		for _, tt := range []struct {
			name    string
			program Program
			want    error
		}{
			{"missing", Program{File: dir + "/no"}, syscall.ENOENT},
			{"folder", Program{File: dir}, syscall.EACCES},
			{"dir", Program{File: "/bin/sh", Dir: dir + "/no"}, syscall.ENOENT},
			{"descriptor", Program{File: "/bin/sh", Files: []int{99999}}, syscall.EBADF},
			{"NUL in file", Program{File: "/bin/sh\x00"}, syscall.EINVAL},
			{"NUL in argument", Program{File: "/bin/sh", Args: []string{"\x00"}}, syscall.EINVAL},
			{"NUL in setting", Program{File: "/bin/sh", Environ: []string{"\x00"}}, syscall.EINVAL},
			{"NUL in dir", Program{File: "/bin/sh", Dir: "\x00"}, syscall.EINVAL},
			{"long", Program{File: "/bin/sh", Environ: []string{strings.Repeat("x", 200_000)}}, syscall.E2BIG},
		} {
			before := descriptors(t)
			pid, err := Start(&tt.program)
			if pid != 0 || err != tt.want {
				t.Errorf("%s: %d, %v; want %v", tt.name, pid, err, tt.want)
			}
			if after := descriptors(t); after != before {
				t.Errorf("%s: %d descriptors, then %d", tt.name, before, after)
			}
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
				t.Errorf("%s: process %d, %v", tt.name, pid, err)
			}
		}
	})
}

// unignorable are ILL, TRAP, BUS, FPE, SEGV, STKFLT, URG, PROF, SYS and 33: with
// os/signal.Ignore for all, a program started by os/exec does not ignore them.
const unignorable = 1<<3 | 1<<4 | 1<<6 | 1<<7 | 1<<10 | 1<<15 | 1<<22 | 1<<26 | 1<<30 | 1<<32

// signals are what a process has inherited: those, and some others.
var signals = origin{
	ignored: unignorable | 1<<(syscall.SIGUSR1-1),
	blocked: 1<<(syscall.SIGUSR2-1) | 1<<(syscall.SIGCHLD-1) | 1<<(syscall.SIGSEGV-1),
}

// ignoredHere returns the signals that this process ignores: GNU make and
// nohup, for example, start it with some.
func ignoredHere(t *testing.T) (set uint64) {
	t.Helper()
	for sig := uintptr(1); sig <= 64; sig++ {
		var action sigaction
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&action)), maskSize, 0, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		if action.handler == ignore {
			set |= 1 << (sig - 1)
		}
	}
	return set
}

func cat(t *testing.T) string {
	t.Helper()
	file, err := exec.LookPath("cat")
	if err != nil {
		t.Skip(err)
	}
	return file
}

// inherited returns what files of a process in /proc say of its signals,
// blocked and ignored, and of its soft limit of data. A shell would change
// both before it could say so.
func inherited(files []byte) string {
	var words []string
	for _, m := range regexp.MustCompile(`(?m)^(?:SigBlk:|SigIgn:|Max data size)\s+(\w+)`).FindAllSubmatch(files, -1) {
		words = append(words, string(m[1]))
	}
	return strings.Join(words, " ")
}

func TestStartPassesSignalsOn(t *testing.T) {
	become(t, signals)
	// That SIGUSR1 stays ignored is up to internal/prog.
	r, w := pipe(t)
	p := Program{File: cat(t), Args: []string{"cat", "/proc/self/status"}, Files: []int{None, int(w.Fd())}}
	pid, err := Start(&p)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	status, err := io.ReadAll(r)
	syscall.Wait4(pid, nil, 0, nil)
	want := fmt.Sprintf("%016x %016x", signals.blocked&^(1<<(syscall.SIGCHLD-1)), unignorable|ignoredHere(t))
	if got := inherited(status); got != want || err != nil {
		t.Errorf("blocked and ignored %q, %v, want %q", got, err, want)
	}
}

// before is a soft limit in bytes that a test pretends to have been started
// with, less than any hard limit with which it can run.
const before = 1 << 30

// A memory limit that was raised is put back, one that somebody has changed
// since is passed on.
func TestStartPassesLimitsOn(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		var now syscall.Rlimit
		if syscall.Getrlimit(syscall.RLIMIT_DATA, &now); now.Cur != now.Max {
			t.Skip("RLIMIT_DATA is not at its maximum")
		}
		for _, tt := range []struct {
			then syscall.Rlimit
			want string
		}{
			{syscall.Rlimit{Cur: before, Max: now.Max}, strconv.Itoa(before / 1024)},
			{syscall.Rlimit{Cur: before, Max: now.Max - 1}, shell(t, Program{}, "ulimit -Sd")},
			{now, shell(t, Program{}, "ulimit -Sd")},
		} {
			become(t, origin{data: tt.then})
			if noClone3.Load() {
				continue // the program may be faster
			}
			if got := shell(t, Program{}, "ulimit -Sd"); got != tt.want {
				t.Errorf("started with %+v: %s, want %s", tt.then, got, tt.want)
			}
		}
	})
}

// TestExecHelper is not a test but the process that TestExec makes: it becomes
// the program that $INHERIT_EXEC names, under a memory limit if $INHERIT_LIMIT.
func TestExecHelper(t *testing.T) {
	file, set := os.LookupEnv("INHERIT_EXEC")
	if !set {
		t.Skip("for TestExec")
	}
	o := signals
	if os.Getenv("INHERIT_LIMIT") != "" {
		syscall.Getrlimit(syscall.RLIMIT_DATA, &o.data)
		o.data.Cur = before
	}
	become(t, o)
	runtime.LockOSThread()
	mask := setMask(0)
	setMask(mask)
	for range 100 {
		if err := Exec(file, []string{"cat", "/proc/self/status", "/proc/self/limits"}, os.Environ()); err != syscall.ENOENT {
			t.Fatal(err)
		}
		// What was changed for the program is as before.
		if m := setMask(mask); m != mask {
			t.Fatalf("signals %#x are blocked, want %#x", m, mask)
		}
		if len(raised(memory...)) == 0 && os.Getenv("INHERIT_LIMIT") != "" {
			t.Fatal("the limit is low")
		}
		for _, sig := range lost() {
			was := setAction(sig, ignoring)
			if setAction(sig, was); was.handler == ignore {
				t.Fatalf("signal %d is ignored", sig)
			}
		}
		done := make(chan []byte)
		go func() { done <- make([]byte, 1<<20) }()
		<-done
	}
	fmt.Println("goes on")
	os.Exit(0)
}

// Exec, with a limit to put back and without: the program has what was
// inherited; when it cannot be executed this process goes on as before.
func TestExec(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var now syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_DATA, &now); now.Cur != now.Max {
		t.Skip("RLIMIT_DATA is not at its maximum")
	}
	limits, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		t.Skip(err)
	}
	signalled := fmt.Sprintf("%016x %016x ", signals.blocked, unignorable|ignoredHere(t))
	for _, tt := range []struct{ file, limit, want string }{
		{cat(t), "", signalled + inherited(limits)},
		{cat(t), "low", signalled + strconv.Itoa(before)},
		{"/no such file", "", ""},
		{"/no such file", "low", ""},
	} {
		cmd := exec.Command(self, "-test.run=^TestExecHelper$")
		cmd.Env = append(os.Environ(), "INHERIT_EXEC="+tt.file, "INHERIT_LIMIT="+tt.limit)
		out, err := cmd.CombinedOutput()
		if got := inherited(out); got != tt.want || err != nil || tt.want == "" && string(out) != "goes on\n" {
			t.Errorf("%s, %q: %v, %q, want %q", tt.file, tt.limit, err, out, tt.want)
		}
	}
}
