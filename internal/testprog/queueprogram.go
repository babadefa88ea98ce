package testprog

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// QueueProgram is a queue program at work, with the ends of the two pipes
// that its caller writes to.
type QueueProgram struct {
	*exec.Cmd
	Message, Envelope *os.File
	Said              strings.Builder // what it writes to standard error; complete when it has ended
}

// StartQueueProgram starts the project's program of that name with further
// settings in its environment, through the words of wrap, which may be none.
func StartQueueProgram(t testing.TB, name string, settings []string, wrap ...string) *QueueProgram {
	t.Helper()
	argv := append(wrap[:len(wrap):len(wrap)], filepath.Join(Dir(t), name))
	q := &QueueProgram{Cmd: exec.Command(argv[0], argv[1:]...)}
	q.Env = append(os.Environ(), settings...)
	q.Stderr = &q.Said
	var stdin, stdout *os.File
	for _, p := range []struct{ r, w **os.File }{{&stdin, &q.Message}, {&stdout, &q.Envelope}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		defer r.Close()
		*p.r, *p.w = r, w
	}
	q.Stdin, q.Stdout = stdin, stdout
	if err := q.Start(); err != nil {
		t.Fatal(err)
	}
	return q
}

// Feed gives message and envelope and returns the exit code, -1 for a signal.
func (q *QueueProgram) Feed(message, envelope string) (code int) {
	io.WriteString(q.Message, message)
	q.Message.Close()
	io.WriteString(q.Envelope, envelope)
	q.Envelope.Close()
	q.Wait()
	return q.ProcessState.ExitCode()
}

// KillAtEach calls run again and again, with the words that kill a program at
// its first system call of that name, at its second and so on, until it gets
// through. Run runs the program through these words and returns its exit code,
// -1 for a signal. KillAtEach returns the number of kills.
//
// Calls are counted for each thread, and the Go runtime may go on in another
// one, so that it takes several escapes to get through.
func KillAtEach(t testing.TB, call string, run func(wrap ...string) (code int)) (kills int) {
	t.Helper()
	const enough = 3
	for escapes := 0; escapes < enough; {
		switch code := run(strace(t, call, fmt.Sprintf("signal=KILL:when=%d", kills+1))...); code {
		case 0:
			escapes++
		case -1:
			kills++
			escapes = 0
		default:
			t.Skipf("strace: exit %d; it may not trace here", code)
		}
	}
	return kills
}

// FailAt returns the words that make a program's system calls of that name fail
// with the errno named by its constant, such as EIO. When is as in strace: "2"
// is the second call of a thread alone, "1+" all of them. With paths only
// calls for these files count.
func FailAt(t testing.TB, call, when, errno string, paths ...string) (wrap []string) {
	t.Helper()
	wrap = strace(t, call, "error="+errno+":when="+when)
	for _, path := range paths {
		wrap = append(wrap, "-P", path)
	}
	return wrap
}

// strace skips the test where there is no strace to meddle with a system call.
func strace(t testing.TB, call, injection string) (wrap []string) {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace to meddle with a system call")
	}
	return []string{path, "-f", "-qqq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + injection}
}
