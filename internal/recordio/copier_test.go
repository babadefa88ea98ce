package recordio_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/testprog"
)

// both are the two programs, each on pipes and on one socket.
func both(t *testing.T, test func(t *testing.T, exe string, socket bool)) {
	for _, name := range []string{"recordio", "fixcrio"} {
		for _, way := range []string{"pipes", "socket"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				test(t, ours(t, name), way == "socket")
			})
		}
	}
}

// A person at one end gets an answer to each line.
func TestDialogue(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "cat")
		for i := range 3 {
			line := fmt.Sprintf("line %d\r\n", i)
			c.write(line)
			c.reads(line)
		}
		c.write("no line")
		c.reads("no line")
		c.end()
		c.readsEnd()
		c.wait("exit status 0")
	})
}

const much = 4 << 20 // bytes: more than any buffer between

// A caller that first says everything and then listens is not left hanging:
// neither direction waits for the other.
func TestCallerTalksFirst(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		program := fmt.Sprintf("exec 3<&0; cat <&3 >/dev/null & head -c %d /dev/zero; wait; exit 5", much)
		c := call(t, socket, exe, "sh", "-c", "exec 2>/dev/null; "+program)
		go io.Copy(io.Discard, c.log)
		c.write(strings.Repeat("x", much))
		c.end()
		c.reads(strings.Repeat("\x00", much))
		c.readsEnd()
		c.wait("exit status 5")
	})
}

// Nor is such a program.
func TestProgramTalksFirst(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "sh", "-c", fmt.Sprintf("head -c %d /dev/zero; cat >/dev/null; exit 0", much))
		go io.Copy(io.Discard, c.log)
		written := make(chan error, 1)
		go func() {
			_, err := io.WriteString(c.in, strings.Repeat("\n", much))
			c.end()
			written <- err
		}()
		c.reads(strings.Repeat("\x00", much))
		if err := <-written; err != nil {
			t.Error(err)
		}
		c.readsEnd()
		c.wait("exit status 0")
	})
}

// Unlike under the C programs, what a program has to say arrives also when it
// has stopped listening to a caller that goes on.
func TestProgramStopsReading(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "sh", "-c", "exec <&-; echo closed; read go <&3; echo later; exit 5")
		out := "closed"
		if strings.HasSuffix(exe, "fixcrio") {
			out += "\r"
		}
		c.reads(out + "\n")
		c.write("x\n")
		if strings.HasSuffix(exe, "recordio") {
			c.logs("< x ")
		}
		c.say.WriteString("go\n")
		c.reads(strings.Replace(out, "closed", "later", 1) + "\n")
		c.readsEnd()
		c.wait("exit status 5")
	})
}

// The copier goes on for what the program has left behind.
func TestCopierOutlivesProgram(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "sh", "-c", "(read go <&3; printf late) & exit 3")
		c.wait("exit status 3")
		c.say.WriteString("go\n")
		c.reads("late")
		c.readsEnd()
	})
}

// A program whose caller has gone is told so when it writes.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "yes")
		go io.Copy(io.Discard, c.log)
		if _, err := c.out.ReadByte(); err != nil {
			t.Fatal(err)
		}
		c.in.Close()
		c.outFile.Close()
		c.wait("signal: broken pipe")
	})
}

// The program ends when its caller has nothing more to say, also when the
// caller is not listening.
func TestCopierEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "true")
		c.readsEnd() // though what it reads has no end
		if _, err := io.ReadAll(c.log); err != nil {
			t.Error(err)
		}
		c.wait("exit status 0")
	})
}

// The copier is a child of the program, holds nothing that keeps a pipe open,
// and says what it is.
func TestCopier(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, exe string, socket bool) {
		c := call(t, socket, exe, "sh", "-c", "cat; exit")
		c.write("x\r\n")
		c.reads("x\r\n")
		pid := c.copier()
		program, copier := descriptors(t, c.cmd.Process.Pid), descriptors(t, pid)
		if len(copier) != len(program)+2 {
			t.Errorf("the program has the descriptors %v, the copier %v; want two more", program, copier)
		}
		for fd := range program {
			if fd > 1 && program[fd] != copier[fd] {
				t.Errorf("descriptor %d is %q in the program, %q in the copier", fd, program[fd], copier[fd])
			}
		}
		for fd, end := range map[int]string{0: " w", 1: " r"} {
			want, _, _ := strings.Cut(program[fd], " ")
			var got []string
			for _, file := range copier {
				if strings.HasPrefix(file, want) {
					got = append(got, file)
				}
			}
			if !slices.Equal(got, []string{want + end}) {
				t.Errorf("of descriptor %d, %s, the copier has %q", fd, program[fd], got)
			}
		}
		name := exe[strings.LastIndexByte(exe, '/')+1:]
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if want := fmt.Sprintf("%s: copier of\x00%d\x00", name, c.cmd.Process.Pid); string(comm) != name+"\n" || !strings.HasPrefix(string(args), want) {
			t.Errorf("the copier is known as %q, %q", comm, args)
		}
		c.end()
		c.readsEnd()
	})
}

// What kills a process kills the copier, without a word.
func TestCopierSignals(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGXCPU, 40} {
			if signal.Ignored(sig) {
				continue // under nohup, so is it in what these tests start
			}
			status, said := killed(t, ours(t, name), sig, false)
			if !status.Signaled() || status.Signal() != sig || said != "" {
				t.Errorf("%s, %v: status %#x, %q", name, sig, uint32(status), said)
			}
		}
	}
}

// killed sends a signal to the copier of a recordio or fixcrio and returns its
// wait status and what it had to say. The program ends, and with it the
// copier, before that if the copier is expected to survive, and afterwards
// if not: a signal may kill one thread of a process when another has read on.
func killed(t *testing.T, exe string, sig syscall.Signal, survives bool) (syscall.WaitStatus, string) {
	t.Helper()
	// Whose parent has died becomes our child, so that it can be waited for.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := call(t, false, exe, "tail", "-f", file) // waits for no child, unlike a shell
	c.reads("x")
	pid := c.copier()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
	if !survives {
		c.readsEnd() // the copier's alone
	}
	c.in.Close()
	c.cmd.Process.Kill()
	c.cmd.Wait()
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			if err != nil {
				t.Fatalf("%v: wait: %v", sig, err)
			}
			break
		}
	}
	text, _ := io.ReadAll(c.log)
	var said []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, fmt.Sprint(c.cmd.Process.Pid)) {
			said = append(said, line)
		}
	}
	return status, strings.Join(said, "")
}

// Without /proc, as in a chroot, the copier is found by its name.
func TestChroot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"recordio", "addcr"} {
		testprog.Copy(t, ours(t, name), dir)
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("#!/recordio /addcr\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		argv     []string
		out, log string
	}{
		{[]string{"/recordio", "/addcr"}, "x\r\n", "< x \n> x\r \n< [EOF]\n> [EOF]\n"},
		{[]string{"./recordio", "/addcr"}, "x\r\n", "< x \n> x\r \n< [EOF]\n> [EOF]\n"},
		// A script cannot be told to copy: it would start a script, and so on
		// until the descriptors are used up.
		{[]string{"/script"}, "", "recordio: fatal: unable to fork: file does not exist\n"},
	} {
		cmd := exec.Command("sh", append([]string{"-c", `PATH=$PATH:/usr/sbin:/sbin; ulimit -n 40; exec chroot "$@"`, "sh", dir}, tt.argv...)...)
		cmd.Stdin = strings.NewReader("x\n")
		if uid := os.Geteuid(); uid != 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
			}
		}
		var out, log strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &log
		err := cmd.Run()
		if cmd.Process == nil {
			t.Skipf("no chroot: %v", err)
		}
		said := regexp.MustCompile(`(?m)^\d+ `).ReplaceAllString(log.String(), "")
		if out.String() != tt.out || lines(said) != lines(tt.log) {
			t.Errorf("%s: %v, output %q, log %q", tt.argv, err, out.String(), said)
		}
	}
}

// lines returns lines in an order of their own: that of a record is a matter
// of chance.
func lines(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}
