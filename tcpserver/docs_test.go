package tcpserver_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// docBlock returns a fenced block of a page in docs: the last one before a
// text, or the first one after it.
func docBlock(t *testing.T, page, text string, before bool) string {
	t.Helper()
	head, tail, found := strings.Cut(docPage(t, page), text)
	if before {
		tail = head
	}
	blocks := strings.Split(tail, "```\n")
	if !found || len(blocks) < 3 {
		t.Fatalf("docs/%s has no block beside %q", page, text)
	}
	if before {
		return blocks[len(blocks)-2]
	}
	return blocks[1]
}

func docPage(t *testing.T, page string) string {
	t.Helper()
	root, err := testprog.Root()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The run scripts of docs/supervision.md run, for a port that the kernel
// chooses and a small program.
func TestRunScripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := compile(t, filepath.Join(dir, "x.cdb"), ":allow\n")
	if err := os.WriteFile(dir+"/limit", []byte("20\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	local := strings.NewReplacer(
		"exec tcpserver -", "exec tcpserver -1",
		"/var/qmail/control/concurrencyincoming", dir+"/limit",
		"/etc/tcp.smtp.cdb", db,
		"0 25 /var/qmail/bin/qmail-smtpd", "127.0.0.1 0 echo hello",
	)
	for _, after := range []string{"daemontools and runit", "s6, with"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		cmd := exec.Command("sh", "-c", local.Replace(docBlock(t, "supervision.md", after, false)))
		cmd.Env = append(os.Environ(), "PATH="+testprog.Dir(t)+":"+os.Getenv("PATH"))
		cmd.ExtraFiles = []*os.File{w}
		s := startCommand(t, cmd)
		served(t, s.Port, 2)
		stop(t, s)
	}
}

// Each word of -W has its line in docs/supervision.md.
func TestWordsAreDocumented(t *testing.T) {
	t.Parallel()
	page := docPage(t, "supervision.md")
	out, _ := command(t, "-W", "?").CombinedOutput()
	_, list, found := strings.Cut(string(out), "tcpserver: hint: -W takes one of ")
	if !found {
		t.Fatalf("%s", out)
	}
	for word := range strings.FieldsSeq(list) {
		if !regexp.MustCompile("(?m)^\\|.*`" + regexp.QuoteMeta(word) + "`.*\\|").MatchString(page) {
			t.Errorf("no %s in the table", word)
		}
	}
}

// The table of SIGUSR1, the lines of -W json and the names of the counters are
// as the pages show them.
func TestPagesShowWhatIs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tcpserver.prom")
	s := start(t, "-RHl0", "-W", "status", "-W", "counters="+file, "127.0.0.1", "0", "sh", "-c", "echo hello; read x")
	c := dial(t, s)
	c.line(t)
	for asked := 1; !strings.Contains(s.Log(), "age"); asked++ {
		signalServer(t, s, syscall.SIGUSR1)
		waitLog(t, s, "^tcpserver: table: [0-9]+/", asked)
	}
	c.Close()
	real := shape(stop(t, s))
	for line := range strings.Lines(docBlock(t, "supervision.md", "The table of `status`", false)) {
		if !strings.Contains(real, shape(line)) {
			t.Errorf("docs/supervision.md shows %q, the log is %q", line, real)
		}
	}

	page := docPage(t, "counters.md")
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+)`).FindAllStringSubmatch(counted(t, file), -1) {
		if !strings.Contains(page, "`"+m[1]+"`") && m[1] != "tcpserver_connections_limit" {
			t.Errorf("docs/counters.md does not name %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`(tcpserver_\\w+)`").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(counted(t, file), "# TYPE "+m[1]+" ") {
			t.Errorf("there is no %s", m[1])
		}
	}

	db := compile(t, filepath.Join(t.TempDir(), "x.cdb"), "127.:allow\n")
	s = start(t, "-vRHl0", "-W", "json", "-x", db, "127.0.0.1", "0", "true")
	fetch(t, s)
	waitLog(t, s, `"event":"end"`, 1)
	real = shape(stop(t, s))
	for line := range strings.Lines(docBlock(t, "counters.md", "-W json` writes", false)) {
		if !strings.Contains(real, shape(line)) {
			t.Errorf("docs/counters.md shows %s, the log is %s", line, real)
		}
	}
}

// shape returns a log without its numbers, and so without its addresses.
func shape(log string) string {
	return regexp.MustCompile(`[0-9][0-9.:TZ-]*`).ReplaceAllString(log, "N")
}
