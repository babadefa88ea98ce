package tcpserver_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// -W counters: what has happened is in the file when the server ends, and
// before that after the interval.
func TestCounters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tcpserver.prom")
	db := compile(t, filepath.Join(dir, "rules.cdb"), "127.0.0.2:deny\n=:deny\n:allow\n")
	s := start(t, "-RHl0", "-x", db, "-W", "drain", "-W", "counters="+file, "-W", "every=1", "127.0.0.1", "0", "sh", "-c", "exit 7")
	if text := counted(t, file); !strings.Contains(text, "tcpserver_connections_accepted_total{listen=\"127.0.0.1:"+s.Port+"\"} 0\n") {
		t.Errorf("at the start:\n%s", text)
	}
	fetch(t, s)
	accepted := regexp.MustCompile(`(?m)^tcpserver_connections_accepted_total\{.*\} [1-9]`)
	for began := time.Now(); !accepted.MatchString(counted(t, file)); {
		if time.Since(began) > patience {
			t.Fatalf("after some seconds:\n%s", counted(t, file))
		}
		fetch(t, s)
	}
	for _, from := range []string{"127.0.0.2", "127.0.0.2"} {
		visitFrom(t, s, from)
	}
	stop(t, s)
	text := counted(t, file)
	for _, want := range []string{
		`tcpserver_connections_limit{.*} 40`,
		`tcpserver_connections_denied_total{.*,rule="127\.0\.0\.2"} 2`,
		`tcpserver_program_exits_total{.*,code="7"} [1-9][0-9]*`,
		`tcpserver_lookup_seconds_count{.*,lookup="rules"} [1-9][0-9]*`,
		`tcpserver_lookup_seconds_count{.*,lookup="ident"} 0`,
		`tcpserver_start_time_seconds{.*} [1-9][0-9]*`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(text) {
			t.Errorf("no %s:\n%s", want, text)
		}
	}
}

func counted(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Who is over a limit of his rule is refused, not denied, and the log says by
// which limit.
func TestCountersOfLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tcpserver.prom")
	db := compile(t, filepath.Join(dir, "rules.cdb"), "127.0.0.1:allow,MAXCONIP=\"1\"\n127.0.0.2:allow,MAXCONNC=\"1\"\n:deny\n")
	s := start(t, "-vRHl0", "-x", db, "-W", "json", "-W", "counters="+file, "127.0.0.1", "0", "sh", "-c", "echo hello; read x")
	c := dial(t, s)
	c.line(t)
	for _, from := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.3"} {
		visitFrom(t, s, from)
	}
	log := stop(t, s)
	for _, want := range []string{
		`tcpserver_connections_accepted_total{.*} 5`,
		`tcpserver_connections_refused_total{.*,limit="MAXCONIP"} 1`,
		`tcpserver_connections_refused_total{.*,limit="MAXCONNC"} 2`,
		`tcpserver_connections_denied_total{.*,rule=""} 1`,
	} {
		if text := counted(t, file); !regexp.MustCompile(`(?m)^`+want+`$`).MatchString(text) || strings.Count(text, "_denied_total{") != 1 {
			t.Errorf("no %s:\n%s", want, text)
		}
	}
	for want, n := range map[string]int{
		`"event":"deny",.*,"rule":"127\.0\.0\.1","variable":"MAXCONIP","value":"1"}`: 1,
		`"event":"deny",.*,"rule":"127\.0\.0\.2","variable":"MAXCONNC","value":"1"}`: 2,
		`"event":"deny",.*,"rule":""}`: 1,
	} {
		if got := len(regexp.MustCompile(`(?m)^.*`+want+`$`).FindAllString(log, -1)); got != n {
			t.Errorf("%d lines, not %d, say %s:\n%s", got, n, want, log)
		}
	}
}

// What was dropped is counted by its cause, what a signal killed by the signal,
// and what was dropped has no program that ended.
func TestCountersOfFailures(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tcpserver.prom")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"/nowhere/program"}, `tcpserver_connections_dropped_total{.*,reason="program"} 1`},
		{[]string{"sh", "-c", "kill -9 $$"}, `tcpserver_program_kills_total{.*,signal="9"} 1`},
	} {
		s := start(t, append([]string{"-RHl0", "-W", "drain", "-W", "counters=" + file, "127.0.0.1", "0"}, tt.args...)...)
		fetch(t, s)
		stop(t, s)
		text := counted(t, file)
		if !regexp.MustCompile(`(?m)^`+tt.want+`$`).MatchString(text) || strings.Contains(text, "code=") {
			t.Errorf("no %s:\n%s", tt.want, text)
		}
	}
	s := start(t, "-RHl0", "-x", "/nowhere/x.cdb", "-W", "counters="+file, "127.0.0.1", "0", "true")
	fetch(t, s)
	stop(t, s)
	if text := counted(t, file); !strings.Contains(text, `reason="rules"} 1`) {
		t.Errorf("a missing rules file:\n%s", text)
	}
}

// A file that cannot be written is told once, and does not stop the server.
func TestCountersFail(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, "-RHl0", "-W", "counters="+dir+"/x", "-W", "every=1", "127.0.0.1", "0", "echo", "hello")
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	waitLog(t, s, "^tcpserver: warning: unable to write "+dir+"/x: file does not exist$", 1)
	if got := fetch(t, s); got != "hello\n" {
		t.Errorf("got %q", got)
	}
	if log := stop(t, s); strings.Count(log, "warning") != 1 {
		t.Errorf("log:\n%s", log)
	}
}
