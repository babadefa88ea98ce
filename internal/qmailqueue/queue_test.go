package qmailqueue

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// newHome returns a qmail home with an empty queue.
func newHome(t *testing.T, split bool) string {
	t.Helper()
	home := t.TempDir()
	if err := Layout(filepath.Join(home, "queue"), split); err != nil {
		t.Fatal(err)
	}
	return home
}

// start starts qmail-queue through the words of wrap, which may be none.
func start(t *testing.T, home string, wrap ...string) *testprog.QueueProgram {
	t.Helper()
	return testprog.StartQueueProgram(t, "qmail-queue", []string{"QMAILHOME=" + home}, wrap...)
}

// files returns the regular files of the queue with their contents.
func files(t *testing.T, home string) map[string]string {
	t.Helper()
	queue := filepath.Join(home, "queue")
	found := map[string]string{}
	err := filepath.WalkDir(queue, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(queue, path)
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const (
	message  = "Subject: test\n\nbody\n"
	envelope = "Fa@b\x00Tc@d\x00Te\x00\x00"
)

var received = regexp.MustCompile(`^Received: \(qmail [0-9]+ invoked by uid [0-9]+\); [1-9][0-9]? [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} -0000\n`)

func TestQueued(t *testing.T) {
	t.Parallel()
	for _, split := range []bool{false, true} {
		for _, message := range []string{message, "", "no end", "\x00\xff\r\n", strings.Repeat("long\n", 100000)} {
			home := newHome(t, split)
			r := start(t, home)
			if code := r.Feed(message, envelope); code != 0 {
				t.Fatalf("exit %d", code)
			}
			got := files(t, home)
			names := sortedNames(got)
			if len(names) != 3 {
				t.Fatalf("split %v: files %q", split, names)
			}
			n, _ := strconv.ParseUint(filepath.Base(names[0]), 10, 64)
			mess := fmt.Sprintf("mess/%d/%d", n%23, n)
			intd, todo := fmt.Sprintf("intd/%d", n), fmt.Sprintf("todo/%d", n)
			if split {
				intd, todo = fmt.Sprintf("intd/%d/%d", n%23, n), fmt.Sprintf("todo/%d/%d", n%23, n)
			}
			if want := []string{intd, mess, todo}; !slices.Equal(names, want) {
				t.Errorf("split %v: files %q, want %q", split, names, want)
			}
			head := received.FindString(got[mess])
			if !strings.HasPrefix(head, fmt.Sprintf("Received: (qmail %d invoked by uid %d);", r.Process.Pid, os.Getuid())) || got[mess] != head+message {
				t.Errorf("message: %.300q", got[mess])
			}
			if want := fmt.Sprintf("u%d\x00p%d\x00Fa@b\x00Tc@d\x00Te\x00", os.Getuid(), r.Process.Pid); got[todo] != want || got[intd] != want {
				t.Errorf("todo %q, intd %q, want %q", got[todo], got[intd], want)
			}
			var st syscall.Stat_t
			if err := syscall.Stat(filepath.Join(home, "queue", mess), &st); err != nil || st.Ino != n || st.Mode&0o777 != 0o644 {
				t.Errorf("%s: inode %d, mode %o, %v; want inode %d, mode 644", mess, st.Ino, st.Mode&0o777, err, n)
			}
		}
	}
}

func sortedNames(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// The number of directories in mess is the queue's own.
func TestOtherSplit(t *testing.T) {
	t.Parallel()
	home := newHome(t, false)
	for i := 7; i < 23; i++ {
		if err := os.Remove(fmt.Sprintf("%s/queue/mess/%d", home, i)); err != nil {
			t.Fatal(err)
		}
	}
	if code := start(t, home).Feed(message, envelope); code != 0 {
		t.Fatalf("exit %d with 7 directories", code)
	}
	for name := range files(t, home) {
		n, _ := strconv.ParseUint(filepath.Base(name), 10, 64)
		if strings.HasPrefix(name, "mess/") && name != fmt.Sprintf("mess/%d/%d", n%7, n) {
			t.Errorf("%s: want it in directory %d", name, n%7)
		}
	}
}

// What is wrong with the input has its code, and nothing of it is in todo.
func TestBadEnvelopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, envelope string
		code, files    int
	}{
		{"ends in the sender", "Fa", 54, 0},
		{"empty", "", 54, 0},
		{"no final NUL", "Fa\x00Tb\x00", 54, 0},
		{"wrong letter", "Xa\x00\x00", 91, 2},
		{"wrong recipient letter", "Fa\x00Fb\x00\x00", 91, 2},
		{"long sender", "F" + strings.Repeat("x", 1003) + "\x00\x00", 11, 2},
		{"long recipient", "F\x00T" + strings.Repeat("x", 1003) + "\x00\x00", 11, 2},
		{"longest recipient", "F\x00T" + strings.Repeat("x", 1002) + "\x00\x00", 0, 3},
		{"no recipients", "Fa\x00\x00", 0, 3},
		{"bytes after the end", "Fa\x00Tb\x00\x00more", 0, 3},
	}
	for _, tt := range tests {
		home := newHome(t, false)
		code := start(t, home).Feed(message, tt.envelope)
		got := sortedNames(files(t, home))
		queued := slices.ContainsFunc(got, func(name string) bool { return strings.HasPrefix(name, "todo/") })
		if code != tt.code || len(got) != tt.files || queued != (tt.code == 0) {
			t.Errorf("%s: exit %d, files %q; want exit %d, %d files", tt.name, code, got, tt.code, tt.files)
		}
	}
}

// A queue that is not as it should be has a code for each step.
func TestBrokenQueues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		harm []string // removed, with what they hold
		file string   // made, where a directory was
		wrap []string
		code int
	}{
		{name: "no home", harm: []string{""}, code: 61},
		{name: "no queue", harm: []string{"queue"}, code: 62},
		{name: "queue is a file", harm: []string{"queue"}, file: "queue", code: 62},
		{name: "no pid", harm: []string{"queue/pid"}, code: 63},
		{name: "no mess", harm: []string{"queue/mess"}, code: 64},
		{name: "mess is empty", harm: []string{"queue/mess"}, file: "queue/mess/x", code: 64},
		{name: "no intd", harm: []string{"queue/intd"}, code: 65},
		{name: "no todo", harm: []string{"queue/todo"}, code: 66},
		{name: "no trigger", harm: []string{"queue/lock"}, code: 0},
		{name: "message closed", wrap: []string{"sh", "-c", `exec "$0" <&-`}, code: 54},
		{name: "envelope closed", wrap: []string{"sh", "-c", `exec "$0" >&-`}, code: 54},
		{name: "message is a directory", wrap: []string{"sh", "-c", `exec "$0" </`}, code: 54},
		{name: "disk full", wrap: []string{"sh", "-c", `ulimit -f 1; exec "$0"`}, code: 53},
	}
	for _, tt := range tests {
		home := newHome(t, false)
		for _, name := range tt.harm {
			os.RemoveAll(filepath.Join(home, name))
		}
		if tt.file != "" {
			os.Mkdir(filepath.Dir(filepath.Join(home, tt.file)), 0o755)
			os.WriteFile(filepath.Join(home, tt.file), nil, 0o644)
		}
		code := start(t, home, tt.wrap...).Feed(strings.Repeat("1234567\n", 256), envelope)
		if code != tt.code {
			t.Errorf("%s: exit %d, want %d", tt.name, code, tt.code)
		}
		if code == 53 || code == 54 {
			if got := sortedNames(files(t, home)); len(got) > 0 {
				t.Errorf("%s: files %q are left", tt.name, got)
			}
		}
	}
}

// Without descriptors there is an exit code like any other, not the 2 of a
// crash of the Go runtime.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	home := newHome(t, false)
	queued := 0
	for limit := 3; limit < 16; limit++ {
		code := start(t, home, "sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0"`, limit)).Feed(message, envelope)
		switch code {
		case 0:
			queued++
		case 53, 63, 64, 65, 66:
		default:
			t.Errorf("%d descriptors: exit %d", limit, code)
		}
		n := 0
		for name := range files(t, home) {
			if strings.HasPrefix(name, "todo/") {
				n++
			}
		}
		if n != queued {
			t.Errorf("%d descriptors: exit %d, %d messages in todo; want %d", limit, code, n, queued)
		}
	}
	if queued == 0 {
		t.Error("nothing was queued")
	}
}

// A message that is in todo must not be reported as refused: it would come
// again with each try.
func TestUnreadableTodo(t *testing.T) {
	t.Parallel()
	home := newHome(t, false)
	if err := os.Chmod(filepath.Join(home, "queue/todo"), 0o300); err != nil {
		t.Fatal(err)
	}
	var wrap []string
	if os.Getuid() == 0 {
		wrap = []string{testprog.Peer(t, "setpriv"), "--bounding-set=-all", "--inh-caps=-all"}
	}
	if code := start(t, home, wrap...).Feed(message, envelope); code != 66 {
		t.Errorf("exit %d, want 66", code)
	}
	if err := os.Chmod(filepath.Join(home, "queue/todo"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name := range files(t, home) {
		if strings.HasPrefix(name, "todo/") {
			t.Errorf("%s is queued", name)
		}
	}
}

// qmail-send is woken through a FIFO, and need not be there.
func TestTrigger(t *testing.T) {
	t.Parallel()
	home := newHome(t, false)
	fifo, err := os.OpenFile(filepath.Join(home, "queue/lock/trigger"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	if code := start(t, home).Feed(message, envelope); code != 0 {
		t.Fatalf("exit %d", code)
	}
	buf := make([]byte, 10)
	if n, err := fifo.Read(buf); err != nil || n != 1 || !bytes.Equal(buf[:n], []byte{0}) {
		t.Errorf("trigger: %q, %v; want one NUL", buf[:n], err)
	}
}

// Layout keeps what exists, and reports what it cannot make.
func TestLayout(t *testing.T) {
	t.Parallel()
	home := newHome(t, true)
	queue := filepath.Join(home, "queue")
	if err := Layout(queue, true); err != nil {
		t.Errorf("Layout of a queue: %v", err)
	}
	if err := Layout(filepath.Join(queue, "lock/trigger"), false); err == nil {
		t.Error("Layout under a FIFO: no error")
	}
}
