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

// docPage returns the text of a page, or another file, in docs.
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

// serviceScript returns the run script of docs/services for a supervisor, for files
// in a folder, a port that the kernel chooses and a small program.
func serviceScript(t *testing.T, supervisor, dir string) string {
	t.Helper()
	compile(t, filepath.Join(dir, "x.cdb"), ":allow\n")
	for name, text := range map[string]string{"limit": "5\n", "me": "mail.example.com\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return localService(dir).Replace(docPage(t, "services/"+supervisor+"/smtpd/run"))
}

func localService(dir string) *strings.Replacer {
	return strings.NewReplacer(
		"tcpserver -vR", "tcpserver -1vRH",
		"id -u qmaild", "id -u", "id -g qmaild", "id -g",
		"/var/qmail/control/me", dir+"/me",
		"/var/qmail/control/concurrencyincoming", dir+"/limit",
		"/etc/tcp.smtp.cdb", dir+"/x.cdb",
		"0 25 /var/qmail/bin/qmail-smtpd", "127.0.0.1 0 echo hello",
	)
}

// The run scripts of docs/services run, here without the supervisor's own
// means: its tests have those.
func TestRunScripts(t *testing.T) {
	t.Parallel()
	bound := regexp.MustCompile(`(?m)^exec \S+ -m 30000000 `)
	for _, supervisor := range []string{"daemontools", "runit", "s6"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		text := serviceScript(t, supervisor, t.TempDir())
		if !bound.MatchString(text) {
			t.Errorf("%s: no limit of memory: %s", supervisor, text)
		}
		cmd := exec.Command("sh", "-c", bound.ReplaceAllString(text, "exec env "))
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
	for line := range strings.Lines(testprog.ReadPage(t, "docs/supervision.md").Examples()["table"]) {
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
	for line := range strings.Lines(testprog.ReadPage(t, "docs/counters.md").Examples()["lines"]) {
		if !strings.Contains(real, shape(line)) {
			t.Errorf("docs/counters.md shows %s, the log is %s", line, real)
		}
	}
}

// shape returns a log without its numbers, and so without its addresses.
func shape(log string) string {
	return regexp.MustCompile(`[0-9][0-9.:TZ-]*`).ReplaceAllString(log, "N")
}
