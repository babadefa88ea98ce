//go:build conformance

package rblsmtpd_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// The lists whose name says so have both kinds of record, so that they are
// the same list with and without -T.
var conformanceZone = strings.NewReplacer("@", "4.3.2.1.").Replace(`
@both.example A 127.0.0.2
@both.example TXT Blocked, see http://both.example/?1.2.3.4
@both2.example A 127.0.0.3
@both2.example TXT other
@odd.both.example A 127.0.0.2
@odd.both.example TXT ` + "\x01\ttab\x7f\x80\xff~ %IP% 1%2" + `
@strings.both.example A 127.0.0.2
@strings.both.example TXT "one " "" "two" " three"
@records.both.example A 127.0.0.2
@records.both.example TXT first
@records.both.example TXT "second" " third"
@long.both.example A 127.0.0.2
@long.both.example TXT ` + strings.Repeat("0123456789", 35) + `
@huge.both.example A 127.0.0.2
@huge.both.example TXT ` + strings.Repeat("0123456789", 90) + `
@cut.both.example A 127.0.0.2
@cut.both.example TXT ` + strings.Repeat("x", 200) + `
@cut.both.example TRUNCATE
@alias.both.example CNAME @both.example
3.2.1.both.example A 127.0.0.2
3.2.1.both.example TXT short
unknown.both.example A 127.0.0.2
unknown.both.example TXT unknown
both.example A 127.0.0.2
both.example TXT the base itself
b.a\056.both.example A 127.0.0.2
b.a\056.both.example TXT escaped
@empty.example TXT ""
@empty2.example TXT ""
@empty2.example TXT "x"
@a.example A 127.0.0.1
@code.example A 127.255.255.254
@code.example TXT code
@text.example TXT text alone
@text.example:with\040text TXT colon
@refused.example REFUSED
@silent.example TIMEOUT
@refusedtext.example A 127.0.0.2
@refusedtext.example REFUSED TXT
`)

// failing is a base that fails at once: its label is too long for a packet.
var failing = strings.Repeat("x", 64) + ".example"

// conform is the world of the comparison.
type conform struct {
	c, ours string
	dir     string
	dns     *dnsserver.Server
}

func newConform(t *testing.T) conform {
	w := conform{c: testprog.Peer(t, "/usr/bin/rblsmtpd"), ours: filepath.Join(testprog.Dir(t), "rblsmtpd"), dir: t.TempDir()}
	w.dns = testprog.NameServer(t, conformanceZone, testprog.OnPort53)
	if err := os.WriteFile(w.dir+"/plain", []byte("no interpreter line\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// run is one command line. The client is 1.2.3.4 if environ does not say.
type run struct {
	args    []string
	environ []string
	input   string
	start   string // shell redirections of rblsmtpd
}

// words returns the run of a command line without blanks in its words.
func words(command string) run {
	return run{args: append(strings.Fields(command), "sh", "-c", "echo run; cat")}
}

// A name server that says nothing keeps C for 59 seconds.
const patience = 3 * time.Minute

// observe returns all that a client and the log can see of a run.
func (w conform) observe(program string, r run) string {
	cmd := exec.Command(program, r.args...)
	if r.start != "" {
		cmd = exec.Command("sh", append([]string{"-c", `exec "$0" "$@" ` + r.start, program}, r.args...)...)
	} else {
		cmd.Args[0] = "rblsmtpd"
	}
	cmd.Dir = w.dir
	cmd.Env = append([]string{"TCPREMOTEIP=1.2.3.4", "PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1", "TMPDIR=" + w.dir}, r.environ...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(r.input), &stdout, &stderr
	if r.start != "" {
		cmd.Stdout = nil
	}
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait() // what the input could not be given is no matter
	return fmt.Sprintf("%v\n%q\n%q", cmd.ProcessState, stdout.String(), pids.ReplaceAllString(stderr.String(), " pid N: "))
}

// compare runs C, and ours with each of the options put first, at once.
func (w conform) compare(t *testing.T, r run, first ...string) {
	t.Helper()
	var c string
	ours := make([]string, len(first))
	var all sync.WaitGroup
	all.Go(func() { c = w.observe(w.c, r) })
	for i, option := range first {
		with := r
		if option != "" {
			with.args = append([]string{option}, r.args...)
		}
		all.Go(func() { ours[i] = w.observe(w.ours, with) })
	}
	all.Wait()
	for i, option := range first {
		if c != ours[i] {
			t.Errorf("rblsmtpd %q, %q, %.200q %s\nC:\n%.2000s\nours with %q:\n%.2000s", r.args, r.environ, r.input, r.start, c, option, ours[i])
		}
	}
}

// Options in every order, with lists that are the same with and without -T.
func TestConformanceOrder(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	options := []string{"-b", "-B", "-c", "-C", "-r both.example", "-r both2.example", "-r none.example", "-r " + failing,
		"-a a.example", "-a none.example", "-a " + failing}
	var cases []run
	for _, a := range options {
		for _, b := range options {
			for _, c := range options {
				cases = append(cases, words("-t0 "+a+" "+b+" "+c))
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		command := "-t0"
		for range 4 + random.IntN(4) {
			command += " " + options[random.IntN(len(options))]
		}
		cases = append(cases, words(command))
	}
	for _, r := range cases {
		w.compare(t, r, "", "-T")
	}
}

// Texts, names and addresses.
func TestConformanceLists(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	var same, asC []run
	for _, base := range []string{"both", "odd.both", "strings.both", "records.both", "long.both", "huge.both", "cut.both", "alias.both", "none"} {
		for _, option := range []string{"-r", "-br"} {
			same = append(same, words("-t0 "+option+" "+base+".example"), words(option+" "+base+".example."))
		}
		same = append(same, words("-a "+base+".example -r both2.example"))
	}
	for _, ip := range []string{"", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1..2.3.4", "unknown", `a\056.b`, "1.2.3.4 ", failing, "1.2.3.5", "::1::", "\xff\x01\n"} {
		r := words("-t0 -r both.example")
		r.environ = []string{"TCPREMOTEIP=" + ip}
		same = append(same, r)
		r = words("-cbt0 -r both.example -r both2.example -a both.example")
		r.environ = []string{"TCPREMOTEIP=" + ip, "PROTO=TCP6", "TCP6REMOTEIP=1.2.3.4"}
		same = append(same, r)
	}
	for _, base := range []string{"empty", "empty2", "a", "code", "text", "both"} {
		for _, command := range []string{"-t0 -r B", "-b -r B", "-a B -r both.example", "-cba B -r both.example"} {
			asC = append(asC, words(strings.ReplaceAll(command, "B", base+".example")))
		}
	}
	for _, base := range []string{"text.example:with text", "both.example:", "both.example:%IP%", ":"} {
		asC = append(asC, run{args: []string{"-t0", "-r", base, "echo", "run"}}, run{args: []string{"-a", base, "-r", "both2.example", "echo", "run"}})
	}
	asC = append(asC, run{args: []string{"-t0", "-r", "", "echo", "run"}})
	for _, r := range same {
		w.compare(t, r, "", "-T")
	}
	for _, r := range asC {
		w.compare(t, r, "-T")
	}
	// C's -a takes a name that spells an address for a host that is there.
	r := words("-t0 -a 5 -r both2.example")
	if c, ours := w.observe(w.c, r), w.observe(w.ours, r); !strings.Contains(c, "run") || !strings.Contains(ours, "451 other") {
		t.Errorf("-a 5: C %s, ours %s", c, ours)
	}
}

// What costs both of them many seconds, at once.
func TestConformanceFailure(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	var all sync.WaitGroup
	for _, command := range []string{"-br refused.example -r both.example", "-bcr refused.example", "-a refused.example", "-bca refused.example -r both.example"} {
		all.Go(func() { w.compare(t, words("-t0 "+command), "", "-T") })
	}
	// C has no text to know of, and blocks nobody.
	for command, want := range map[string]string{
		"-br refusedtext.example": `"553 1.2.3.4 is listed by refusedtext.example\r\n"`,
		"-cr refused.example:own": `"451 temporary RBL lookup error\r\n"`,
	} {
		all.Go(func() {
			if got := w.observe(w.ours, words("-t0 "+command)); !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", command, got, want)
			}
		})
	}
	// A session ends with its time, whatever the client does not do.
	for _, program := range []string{w.c, w.ours} {
		all.Go(func() {
			cmd := exec.Command(program, "-t1", "true")
			cmd.Env = []string{"RBLSMTPD=x"}
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(in, "noop\r\nno")
			start := time.Now()
			out, err := cmd.Output()
			if took := time.Since(start); err != nil || string(out) != "220 rblsmtpd.local\r\n250 rblsmtpd.local\r\n" || took < time.Second {
				t.Errorf("%s: %q, %v after %v", program, out, err, took)
			}
			in.Close()
		})
	}
	all.Wait()
}

// Both wait for a silent server for as long, to a second or two, and then say
// the same.
func TestConformanceSilentServer(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	var all sync.WaitGroup
	for _, command := range []string{"-br silent.example", "-bcr silent.example -r both.example", "-ca silent.example -r both2.example"} {
		var took [2]time.Duration
		all.Go(func() { w.compare(t, words("-t0 "+command), "", "-T") })
		for i, program := range []string{w.c, w.ours} {
			all.Go(func() {
				start := time.Now()
				w.observe(program, words("-t0 "+command))
				took[i] = time.Since(start)
			})
		}
		defer func() {
			if d := took[1] - took[0]; d.Abs() > 5*time.Second {
				t.Errorf("%s: C took %v, ours %v", command, took[0], took[1])
			}
		}()
	}
	all.Wait()
}

// Both ask the same questions, in the same order.
func TestConformanceQuestions(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	at := 0
	asked := func(program string, r run) []string {
		w.observe(program, r)
		all := w.dns.Queries()
		defer func() { at = len(all) }()
		return all[at:]
	}
	for _, r := range []run{
		words("-r none.example -r both.example -r both2.example"),
		words("-a none.example -a a.example -r both.example"),
		words("-r both.example -a a.example"),
		words("-r none.example -Z -r both.example"),
		{args: []string{"-r", "none.example"}},
		{args: []string{"-r", "none.example", "-r"}},
		{args: []string{"-r", "none.example", "x", "-r", "both.example"}},
		{args: []string{"-r", "none.example", "x"}, environ: []string{"RBLSMTPD="}},
		{args: []string{"-r", "none.example", "x"}, environ: []string{"RBLSMTPD=x"}},
		{args: []string{"-r", "none.example", "x"}, environ: []string{"TCPREMOTEIP=A.b\\.C"}},
	} {
		c := asked(w.c, r)
		r.args = append([]string{"-T"}, r.args...)
		if ours := asked(w.ours, r); !slices.Equal(c, ours) {
			t.Errorf("rblsmtpd %q: C asks %q, ours %q", r.args, c, ours)
		}
	}
}

// Without lists: the variable, the session and what keeps the program from
// running.
func TestConformanceSession(t *testing.T) {
	w := conform{c: testprog.Peer(t, "/usr/bin/rblsmtpd"), ours: filepath.Join(testprog.Dir(t), "rblsmtpd"), dir: t.TempDir()}
	if err := os.WriteFile(w.dir+"/plain", []byte("no interpreter line\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var cases []run
	const smtp = "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<a>\r\nRSET\r\nDATA\r\nnoop\r\nQUIT\r\nNOOP\r\n"
	long := strings.Repeat("long ", 100)
	for _, value := range []string{"", "x", "-x", "-", "--", " x ", "a\tb\r\nc\x7f\x80\xff~", long, "-" + long, "%IP%"} {
		for _, options := range []string{"", "-b", "-B -t0", "-bc -t 5", "-t x", "-t 3x", "-t 18446744073709551616", "-t 4294967296", "-t4294967295", "-Z", "-R", "-t", "-bZ", "--", "-b --", "-", "-r both.example"} {
			r := words(options)
			r.environ, r.input = []string{"RBLSMTPD=" + value}, smtp
			cases = append(cases, r, run{args: strings.Fields(options), environ: r.environ, input: smtp})
		}
	}
	for _, args := range [][]string{{"missing"}, {"./missing"}, {"./plain"}, {"plain"}, {""}, {"/"}, {"plain/x"}, {"./plain/x"}, {"sh", "-c", "exit 3"}, {"sh", "-c", "kill -9 $$"}, {"env"}} {
		for _, path := range []string{"PATH=/usr/bin:/bin", "PATH=", "PATH=/nowhere:", "PATH=plain:/bin"} {
			cases = append(cases, run{args: args, environ: []string{path}})
		}
	}
	for _, start := range []string{"<&-", ">&-", "2>&-", "<&- >&-", ">/dev/full", "2>/dev/full", "< /", "</dev/null", "<&- 2>&-"} {
		for _, options := range []string{"-t0", "-t9"} {
			r := words(options)
			r.environ, r.input, r.start = []string{"RBLSMTPD=x"}, smtp, start
			cases = append(cases, r)
		}
	}
	for _, input := range dialogues() {
		cases = append(cases, run{args: []string{"true"}, environ: []string{"RBLSMTPD=x"}, input: input})
	}
	for _, r := range cases {
		w.compare(t, r, "")
	}
}

// dialogues returns inputs made of what may matter to a session.
func dialogues() []string {
	random := rand.New(rand.NewPCG(3, 4))
	parts := []string{"helo", "EHLO", "Mail", "rcpt", "rset", "noop", "data", "quit", "QuIt", "vrfy", "help", " ", " ", "  ", "\t", "\r", "\r",
		"\n", "\n", "\r\n", "\r\n", "\r\n", "\x00", "\xff", "x", ":", "FROM:<a@b>", "\xc5\xbf", strings.Repeat("y", 70), strings.Repeat(" ", 5000)}
	var out []string
	for range 600 {
		var b strings.Builder
		for range random.IntN(40) {
			p := parts[random.IntN(len(parts))]
			if strings.EqualFold(p, "quit") && random.IntN(3) > 0 {
				p = "q"
			}
			b.WriteString(p)
		}
		out = append(out, b.String())
	}
	for range 200 { // lines of about a verb
		var b strings.Builder
		for range 30 {
			verb := parts[random.IntN(7)]
			b.WriteString(verb[:random.IntN(len(verb)+1)] + strings.Repeat("\r", random.IntN(3)) + parts[10+random.IntN(14)] + "\n")
		}
		out = append(out, b.String())
	}
	return out
}
