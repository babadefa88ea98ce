package inherit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// A job is what a program is for, as a shell command: "limit PROGRAM" runs a
// program as "softlimit -m" does.
type job struct {
	name    string
	least   int  // bytes; the smallest limit of those tried under which it works, 0 for all
	shell   bool // a shell must run under the limit, which many cannot under the smallest
	command string
	want    string // output
}

// enterLimit replaces the shell by a program under the limit in bytes of
// $LIMIT, or the hard limit if that is less, as softlimit -m does.
const enterLimit = `enter() {
	for resource in d s v; do
		n=$((LIMIT / 1024)); hard=$(ulimit -H$resource)
		case $hard in unlimited) ;; *) test $hard -ge $n || n=$hard;; esac
		eval "$resource=$n"
	done
	ulimit -Sd $d && ulimit -Ss $s && ulimit -Sv $v && exec "$@"
	exit 99
}`

// sizes are the limits of run scripts that are seen in the field, in bytes.
var sizes = []int{3_000_000, 6_000_000, 8_000_000, 10_000_000, 30_000_000, 50_000_000}

var jobs = []job{
	{name: "tcprules", command: `limit tcprules new.cdb tmp <tcp.smtp && cmp new.cdb rules.cdb`},
	{name: "tcprulescheck", command: `TCPREMOTEIP=127.0.0.1 limit tcprulescheck rules.cdb`,
		want: "rule 127.:\nset environment variable A=b\nallow connection\n"},
	{name: "tcpruleslint", least: 6_000_000, command: `printf '1.2.3:deny\n' | limit tcpruleslint || test $? = 1`,
		want: "stdin:1: error: \"1.2.3\" matches nobody: a network must end in a dot; write \"1.2.3.\"\n"},
	{name: "tcprulesdiff", command: `echo 127.:allow | limit tcprulesdiff rules.cdb - || test $? = 1`, want: "changed   127.: -A=\"b\"\n"},
	{name: "argv0", shell: true, command: `limit argv0 sh name -c 'echo $0'`, want: "name\n"},
	{name: "recordio", shell: true, command: `echo in | limit recordio sh -c 'read a; echo out $a' 2>&1 | sed 's/^[0-9]* /PID /' | sort`,
		want: "PID < [EOF]\nPID < in \nPID > [EOF]\nPID > out in \nout in\n"},
	{name: "fixcrio", shell: true, command: `echo in | limit fixcrio sh -c 'read a; echo out $a'`, want: "out in\r\n"},
	{name: "addcr", command: `echo in | limit addcr | cat -v`, want: "in^M\n"},
	{name: "delcr", command: `printf 'in\r\n' | limit delcr | cat -v`, want: "in\n"},
	{name: "tcpclient", shell: true, command: `limit tcpclient -RHl0 127.0.0.1 $PORT sh -c 'read line <&6; echo $line'`, want: "127.0.0.1 b\n"},
	{name: "tcpcat", command: `limit tcpcat 127.0.0.1 $PORT`, want: "127.0.0.1 b\n"},
	{name: "mconnect", command: `limit mconnect 127.0.0.1 $PORT </dev/null`, want: "127.0.0.1 b\n"},
	{name: "mconnect-io", command: `echo in | limit mconnect-io 6<tcp.smtp 7>/dev/null`, want: ruleText},
	{name: "http@", command: `limit http@ 127.0.0.1 page $WEB`, want: "asked GET /page HTTP/1.0\n"},
	{name: "rblsmtpd", command: `printf 'helo x\r\nquit\r\n' | TCPREMOTEIP=127.0.0.2 limit rblsmtpd -r rbl.example sh -c 'echo not reached' 2>log | tr -d '\r'; sed 's/pid [0-9]*/pid N/' log`,
		want: "220 rblsmtpd.local\n250 rblsmtpd.local\n221 rblsmtpd.local\nrblsmtpd: 127.0.0.2 pid N: 451 listed here\n"},
	{name: "qmail-smtpd", shell: true, command: `limit qmail-smtpd <dialogue | sed 's/ok .* qp.*/ok/'; sed 1,2d message`,
		want: "220 example.com ESMTP\r\n250 ok\r\n250 ok\r\n354 go ahead\r\n250 ok\n221 example.com\r\ntext\n"},
	{name: "qmail-queue", command: `echo text | limit qmail-queue 1<envelope; sed 1d queue/mess/*/*; rm queue/*/*/* queue/intd/* queue/todo/*`,
		want: "text\n"},
	{name: "qmail-remote", least: 6_000_000, command: `printf 'text\n' | limit qmail-remote example.com a@example.com b@example.com | tr '\0' '\n'`,
		want: "r\nK127.0.0.1 accepted message.\nRemote host said: 250 ok\n\n"},
	{name: "qmail-smarthost", command: `printf 'text\n' | limit qmail-smarthost 2>&1 1<envelope | sed 's/pid=[0-9]* relay=[0-9.:]*/X/'`,
		want: "qmail-smarthost: sent X rcpts=1 reply=250-ok\n"},
	{name: "qmail-maildir", command: `mkdir -p Maildir/tmp Maildir/new; echo text | MAILDIR=Maildir limit qmail-maildir 1<envelope; cat Maildir/new/*; rm -r Maildir`,
		want: "Return-Path: <a@example.com>\nDelivered-To: b@example.com\ntext\n"},
	{name: "qmail-dkim", least: 6_000_000, shell: true, command: `for domain in rsa.example ed25519.example both.example; do
			printf "From: a@$domain\n\ntext\n" | RELAYCLIENT= limit qmail-dkim 1<envelope || exit
			grep -c DKIM-Signature: message
			mv message signed
			limit qmail-dkim <signed 1<envelope || exit
			grep DKIM-Status message
		done
		SANDBOX= limit qmail-dkim <signed 1<envelope && grep DKIM-Status message`,
		want: "1\nDKIM-Status: good\n1\nDKIM-Status: good\n2\nDKIM-Status: good\nDKIM-Status: good\n"},
	{name: "dkim", least: 6_000_000, command: `printf "From: a@ed25519.example\n\ntext\n" >text; limit dkim -s control/domainkeys/%/default <text >fields && cat fields text | limit dkim -v`,
		want: "signature 1: A pass d=ed25519.example s=default a=ed25519-sha256\nverdict: A pass\n"},
	{name: "dkimreport", least: 6_000_000, command: `printf "From: a@ed25519.example\n\ntext\n" | limit dkimreport | grep Result:`,
		want: "Result:         neutral (message not signed)\n"},
	{name: "mailpath", least: 8_000_000, command: `printf "From: a@both.example\n\ntext\n" >text
		RELAYCLIENT= QMAILQUEUE=$(command -v qmail-dkim) limit mailpath -u $(id -u) -x rules.cdb 127.0.0.1 text | grep -c match$`,
		want: "2\n"},
	{name: "domainkey", least: 6_000_000, command: `limit domainkey -p ed25519.example 2>/dev/null | cut -c1-64`,
		want: "default._domainkey.ed25519.example. IN TXT (\"v=DKIM1; k=ed25519;\n"},
	{name: "dknewkey", least: 6_000_000, command: `rm -f key key.pub; limit dknewkey key 1024 2>/dev/null | cut -c1-20`, want: "key._domainkey\tIN\tTX\n"},
}

// fixedPorts are jobs that need servers on ports of their own.
var fixedPorts = []job{
	{name: "who@", command: `limit who@ 127.0.0.1`, want: "\nasked \n"},
	{name: "date@", command: `limit date@ 127.0.0.1`, want: "\nasked \n"},
	{name: "finger@", command: `limit finger@ 127.0.0.1 joe`, want: "\nasked joe\n"},
	{name: "http@", command: `limit http@ 127.0.0.1 page`, want: "asked GET /page HTTP/1.0\n"},
	{name: "tcpcat", command: `limit tcpcat 127.0.0.1`, want: "\r\nasked \r\n"},
	{name: "mconnect", command: `limit mconnect 127.0.0.1 </dev/null`, want: "\r\nasked \r\n"},
}

// serveFixedPorts starts the servers.
func serveFixedPorts(t *testing.T) {
	t.Helper()
	for _, port := range []string{"11", "13", "17", "25"} {
		answer(t, port, false)
	}
	for _, port := range []string{"79", "80"} {
		answer(t, port, true)
	}
}

const (
	// What of /bin is not the shell's own does not run under 3,000,000 bytes.
	queueProgram = "#!/bin/sh\nwhile IFS= read -r line; do printf '%s\\n' \"$line\"; done >message\nread -r envelope <&1\n:\n"

	ruleText = "127.:allow,A=\"b\"\n"
)

// Every program does its job under the limits of run scripts.
func TestJobs(t *testing.T) {
	t.Parallel()
	newWorld(t).work(t, jobs)
}

func TestFixedPorts(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	serveFixedPorts(t)
	newWorld(t).work(t, fixedPorts)
}

// work does the jobs under all limits.
func (w world) work(t *testing.T, jobs []job) {
	for _, j := range jobs {
		t.Run(j.name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(testprog.Dir(t), j.name)); err != nil {
				t.Fatal(err)
			}
			for _, size := range sizes {
				if j.shell && !w.shellRuns(t, size) {
					t.Logf("sh does not run under %d bytes", size)
					continue
				}
				got := w.run(t, size, j.command)
				if j.least > size {
					if got == j.want {
						t.Errorf("works under %d bytes: lower least", size)
					}
				} else if got != j.want {
					t.Errorf("under %d bytes: %q, want %q", size, got, j.want)
				}
			}
		})
	}
}

// show prints what a shell has inherited.
const show = "ulimit -Sv; ulimit -Hv; ulimit -Sd; ulimit -Hd; ulimit -Ss; ulimit -Sn; ulimit -Hn; " +
	"while read -r line; do case $line in SigIgn*|SigBlk*) echo $line;; esac; done </proc/$$/status; " +
	"test -e /proc/$$/fd/0 || echo 0 closed; test -e /proc/$$/fd/8 && echo 8 open; :"

// Programs that are started have the limits, ignored signals, signal mask and
// closed descriptors that the program which starts them was started with.
func TestInherits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "show", "#!/bin/sh\n"+show+"\n")
	w.write(t, "accept", "#!/bin/sh\nexec >shown\n"+show+"\n")
	starts := []struct {
		name, start, after string
		pipes              bool   // it gives the program a pipe or a socket as descriptor 0
		ignores            string // trap of a signal that it ignores itself
	}{
		{name: "argv0", start: "argv0 ./show show"},
		{name: "recordio", start: "recordio ./show 2>/dev/null", pipes: true},
		{name: "fixcrio", start: "fixcrio ./show", after: " | tr -d '\\r'", pipes: true},
		{name: "tcpclient", start: "tcpclient -RHl0 127.0.0.1 $PORT ./show"},
		{name: "rblsmtpd", start: "rblsmtpd ./show"},
		{name: "qmail-smtpd", start: "env QMAILQUEUE=./accept qmail-smtpd <dialogue >/dev/null", after: "; cat shown", pipes: true, ignores: "trap '' PIPE;"},
		{name: "qmail-dkim", start: "env DKIMQUEUE=./accept qmail-dkim <dialogue 1<envelope", after: "; cat shown", pipes: true},
	}
	for _, size := range w.sizesForShell(t, 3_000_000, 10_000_000, 30_000_000, 50_000_000, 0) {
		for _, before := range []string{"", "trap '' HUP QUIT USR1 SEGV URG", "exec 8</dev/null; ulimit -Sn 30", closeInput} {
			for _, s := range starts {
				if s.name == "qmail-dkim" && size == 3_000_000 || s.pipes && before == closeInput {
					continue
				}
				want := w.run(t, size, before+"\n"+s.ignores+" limit ./show")
				if got := w.run(t, size, before+"\nlimit "+s.start+s.after); got != want {
					t.Errorf("under %d bytes, %q: %s:\n%swant\n%s", size, before, s.name, got, want)
				}
			}
		}
	}
}

// A program that cannot be executed, though it looks so, leaves the process as
// it was: the next of that name in PATH is tried, and inherits the same.
func TestExecGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := ""
	for i := range 50 {
		dir := "denied" + strconv.Itoa(i)
		w.write(t, dir+"/show", "#!/\n") // a folder is no interpreter
		path += dir + ":"
	}
	w.write(t, "good/show", "#!/bin/sh\n"+show+"\n")
	w.write(t, "bad/show", "no program\n")
	for _, size := range w.sizesForShell(t, 3_000_000, 10_000_000, 0) {
		want := w.run(t, size, "limit good/show")
		if got := w.run(t, size, "PATH="+path+"good:$PATH; limit argv0 show show"); got != want {
			t.Errorf("under %d bytes: %q, want %q", size, got, want)
		}
		want = "argv0: fatal: unable to run show: exec format error\n"
		if got := w.run(t, size, "PATH="+path+"bad:good:$PATH; limit argv0 show show 2>&1; :"); got != want {
			t.Errorf("under %d bytes: %q, want %q", size, got, want)
		}
	}
}

// What TestInherits says, for the program of a connection, many at a time: it has the limits
// from its first instruction.
func TestServerInherits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const show = "ulimit -Sv; ulimit -Sd; ulimit -Ss; ulimit -Sn"
	for _, size := range w.sizesForShell(t, 3_000_000, 10_000_000, 30_000_000, 50_000_000) {
		want := w.run(t, size, "ulimit -Sn 100; limit sh -c '"+show+"'")
		s := w.serve(t, w.command(size, "ulimit -Sn 100; enter tcpserver -1 -RHl0 -x rules.cdb 127.0.0.1 0 sh -c '"+show+"'"))
		var clients sync.WaitGroup
		for range 50 {
			clients.Go(func() {
				if got, err := testprog.Fetch(s.Port, ""); got != want || err != nil {
					t.Errorf("under %d bytes: %q, %v; want %q", size, got, err, want)
				}
			})
		}
		clients.Wait()
		if log, err := s.Stop(); err != nil || log != "" {
			t.Errorf("under %d bytes the server says %v, %q", size, err, log)
		}
	}
}

// When even the maximum of a limit is too low, one line says so.
func TestRefusal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(testprog.Dir(t), "tcprules"), filepath.Join(dir, "other name")); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []string{"ulimit -v 700000", "ulimit -d 40000"} {
		for _, program := range []string{"./other name", dir + "//other name"} {
			cmd := exec.Command("sh", "-c", limit+`; exec "$0"`, program)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			const want = "other name: fatal: unable to start: the hard memory limit is too low: allow 800000000 bytes of address space and 50000000 of data\n"
			if string(out) != want || cmd.ProcessState.ExitCode() != 111 {
				t.Errorf("%s, %s: %q, %v", limit, program, out, err)
			}
		}
	}
}
