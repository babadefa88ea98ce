//go:build conformance

package recordio_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// pair are the C program and ours.
func pair(t *testing.T, name string) [2]string {
	t.Helper()
	return [2]string{testprog.Peer(t, "/usr/bin/"+name), ours(t, name)}
}

// stream makes n bytes that are full of line ends.
func stream(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 0))
	words := []string{"\n", "\r", "\r\n", "\n\n", "\r\r\n", "x", "some words", "\x00\xff%", strings.Repeat("y", 255), strings.Repeat("z", 300)}
	words = words[:3+rnd.IntN(len(words)-2)]
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[rnd.IntN(len(words))])
	}
	return b.Bytes()[:n]
}

// An outcome is all that a caller gets.
type outcome struct{ state, out, in, record string }

// outcomeOf runs argv with a file as its input.
func outcomeOf(t *testing.T, dir string, input []byte, argv ...string) outcome {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(name, input, 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var out, log bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, stdin, &out, &log
	cmd.Run()
	text := log.String()
	if cmd.Process != nil {
		text = regexp.MustCompile(fmt.Sprintf(`(?m)^%d `, cmd.Process.Pid)).ReplaceAllString(text, "PID ")
	}
	o := outcome{state: cmd.ProcessState.String(), out: out.String()}
	// The order of the two directions is a matter of chance.
	o.in, o.record = split(text)
	return o
}

// Streams of all kinds through a copy are the same, and so are their records.
func TestConformanceStreams(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for seed := range uint64(40) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			input := stream(seed, []int{rnd.IntN(600), 256 * rnd.IntN(40), rnd.IntN(300_000)}[seed%3])
			program := []string{"cat"}
			if seed%4 == 3 {
				program = []string{"dd", "status=none", "bs=" + fmt.Sprint(1+rnd.IntN(1000))}
				if name == "recordio" {
					program = []string{"dd", "status=none", "bs=256"} // others make what one read gives a matter of chance
				}
			}
			c := outcomeOf(t, "", input, append([]string{exe[0]}, program...)...)
			o := outcomeOf(t, "", input, append([]string{exe[1]}, program...)...)
			if c != o {
				t.Errorf("%s %v, seed %d, %d bytes: %s", name, program, seed, len(input), difference(c, o))
			}
		}
	}
}

func difference(c, o outcome) string {
	for _, f := range []struct{ what, c, o string }{{"state", c.state, o.state}, {"output", c.out, o.out}, {"record <", c.in, o.in}, {"record >", c.record, o.record}} {
		if f.c != f.o {
			i := 0
			for i < min(len(f.c), len(f.o)) && f.c[i] == f.o[i] {
				i++
			}
			at := max(0, i-20)
			return fmt.Sprintf("%s differs at %d of %d and %d: C %.80q, ours %.80q", f.what, i, len(f.c), len(f.o), f.c[at:], f.o[at:])
		}
	}
	return ""
}

// What comes in pieces is recorded in those pieces.
func TestConformancePieces(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for seed := range uint64(6) {
			var got [2]string
			for i := range exe {
				got[i] = pieces(t, exe[i], seed)
			}
			if got[0] != got[1] {
				t.Errorf("%s, seed %d:\nC\n%.300q\nours\n%.300q", name, seed, got[0], got[1])
			}
		}
	}
}

// pieces sends pieces, each when the last has come back, and returns all that
// came back and the records.
func pieces(t *testing.T, exe string, seed uint64) string {
	rnd := rand.New(rand.NewPCG(seed, 2))
	c := call(t, seed%2 == 0, exe, "cat")
	record := make(chan string)
	go func() {
		text, _ := io.ReadAll(c.log)
		record <- string(text)
	}()
	var all []byte
	for k := range 30 {
		piece := append(stream(seed*100+uint64(k), 1+rnd.IntN(1500)), "\a"...)
		c.write(string(piece))
		back, err := c.out.ReadBytes('\a')
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, back...)
	}
	c.end()
	c.readsEnd()
	c.wait("exit status 0")
	in, out := split(<-record)
	return string(all) + in + out
}

// Programs of all manners: how they end, and what their caller gets.
func TestConformancePrograms(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o755, "denied": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("no interpreter line\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for _, args := range [][]string{
			{"sh", "-c", "cat; exit 7"},
			{"sh", "-c", "cat; exit 255"},
			{"sh", "-c", "cat; kill -9 $$"},
			{"sh", "-c", "cat; kill -TERM $$"},
			{"sh", "-c", "cat; kill -SEGV $$"},
			{"sh", "-c", "cat >/dev/null; echo a; exec >&-; sleep 0; exit 3"},
			{"sh", "-c", "cat >/dev/null; printf 'one\r\ntwo'"},
			{"sh", "-c", "cat >/dev/null; echo $0 $# \"$@\"", "a b", "", "c"}, // one write: the records of two are a matter of chance
			// How much of its input is recorded for these is a matter of chance.
			nil, {"true"}, {"false"},
			{"", "x"}, {"--", "true"}, {"-x"}, {"nosuch"}, {"./nosuch"}, {"/"}, {"./plain"}, {"./denied"}, {"./plain/x"},
		} {
			input := []byte("a\nb\r\nlast")
			if len(args) == 0 || args[0] != "sh" {
				input = nil
			}
			c, o := outcomeOf(t, dir, input, append([]string{exe[0]}, args...)...), outcomeOf(t, dir, input, append([]string{exe[1]}, args...)...)
			// That the program could not be run is said at any time.
			c.in, o.in = lines(c.in), lines(o.in)
			if c != o {
				t.Errorf("%s %q: %s", name, args, difference(c, o))
			}
		}
	}
}

// Where the program is looked for.
func TestConformancePath(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{{"plain", "no interpreter line\n", 0o755}, {"denied", "no interpreter line\n", 0o644}, {"here", "#!/bin/sh\necho $0\n", 0o755}} {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for _, path := range []string{"", ":", ".", "/nosuch:.:/bin", "./plain:/bin", ".:/bin", ":/nosuch", "/nosuch", "/nosuch:", "denied:.", "/bin:/usr/bin", "unset"} {
			for _, program := range []string{"here", "plain", "denied", "nosuch", "true", "plain/x", "./here", ""} {
				script := `PATH=` + path + `; export PATH; exec "$0" "$@"`
				if path == "unset" {
					script = `unset PATH; exec "$0" "$@"`
				}
				var got [2]outcome
				for i := range exe {
					got[i] = outcomeOf(t, dir, nil, "/bin/sh", "-c", script, exe[i], program)
					got[i].in, got[i].record = lines(got[i].in), lines(got[i].record)
				}
				if got[0] != got[1] {
					t.Errorf("%s %q, PATH %q: %s", name, program, path, difference(got[0], got[1]))
				}
			}
		}
	}
}

// The program has the environment as it is, with what is odd in it, but for
// what is empty and what no program finds: a name's second entry. Package exec
// would clean it.
func TestConformanceEnvironment(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for _, environ := range [][]string{
			{}, {"A=b"}, {"A=1", "B=", "=x", "novalue", "A", "novalue", "C=a=b", "D=line\nline", "\xff=\x01"},
			{"PATH=/nosuch", "TCPREMOTEIP=1.2.3.4", "PROTO=TCP"}, {"LONG=" + strings.Repeat("x", 100_000)},
			{"A=1", "", "B=2", "A=3", "PATH=/nosuch", "PATH=/bin"},
		} {
			var got [2]string
			for i, environ := range [][]string{found(environ), environ} {
				r, w := pipe(t)
				null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				p, err := os.StartProcess(exe[i], []string{name, "/usr/bin/env", "-0"}, &os.ProcAttr{Env: environ, Files: []*os.File{null, w, null}})
				if err != nil {
					t.Fatal(err)
				}
				w.Close()
				null.Close()
				out, _ := io.ReadAll(r)
				state, _ := p.Wait()
				got[i] = fmt.Sprintf("%q %v", out, state)
			}
			if got[0] != got[1] {
				t.Errorf("%s: environment %.200q: C %.2000s, ours %.2000s", name, environ, got[0], got[1])
			}
		}
	}
}

// found returns of an environment what programs find in it, which is not nil.
func found(environ []string) []string {
	seen, left := map[string]bool{}, []string{}
	for _, setting := range environ {
		name, _, set := strings.Cut(setting, "=")
		if setting != "" && !(set && seen[name]) {
			left = append(left, setting)
		}
		seen[name] = seen[name] || set
	}
	return left
}

// Closed descriptors, and some that cannot be used.
func TestConformanceDescriptors(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for _, script := range []string{
			`exec "$0" cat <&-`, `exec "$0" cat >&-`, `exec "$0" cat 2>&-`, `exec "$0" cat </`, `exec "$0" cat >/dev/full`, `exec "$0" cat 2>/dev/full`,
			`exec "$0" sh -c 'echo x; exec cat' <&-`, `exec "$0" cat 3<&- 4>&-`, `exec "$0" cat </dev/null`, `exec "$0" cat <>/dev/null`,
			`ulimit -n 20; exec "$0" sh -c 'ulimit -n; cat'`, `ulimit -n 7; exec "$0" cat`, `ulimit -n 6; exec "$0" cat`, `ulimit -n 4; exec "$0" cat`,
		} {
			var got [2]outcome
			for i := range exe {
				got[i] = outcomeOf(t, "", []byte("a\nb"), "sh", "-c", script, exe[i])
			}
			if got[0] != got[1] {
				t.Errorf("%s: %s: %s", name, script, difference(got[0], got[1]))
			}
		}
	}
}

// Of what a program has not read, a pipe's worth and a piece are recorded. (By
// C's small pieces a pipe is not filled.)
func TestConformanceReadsNothing(t *testing.T) {
	const piped = 64 << 10
	const line = "x\n"
	name := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(name, bytes.Repeat([]byte(line), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, exe := range pair(t, "recordio") {
		c := call(t, false, "sh", "-c", `exec "$@" <`+name, "sh", exe, "sh", "-c", "read go <&3; echo end")
		least := []int{piped - 4096, piped + 4096}[i] / len(line)
		for range least {
			c.logs("< x ")
		}
		c.say.WriteString("go\n")
		// C loses this when it finds first that it cannot write to the program.
		if out, err := io.ReadAll(c.out); err != nil || string(out) != "end\n" && i > 0 {
			t.Errorf("%s: the program wrote %q, %v", exe, out, err)
		}
		rest, _ := io.ReadAll(c.log)
		if n := least + strings.Count(string(rest), " < x "); n > (piped+4096)/len(line) {
			t.Errorf("%s records %d lines", exe, n)
		}
		c.wait("exit status 0")
	}
}

// A program has the same limits, signals and descriptors, however it was
// started, and so has the copier as far as signals go.
func TestConformanceInheritance(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		inheritance(t, exe)
		testprog.CompareBlocked(t, exe[0], exe[1])
	}
}

func inheritance(t *testing.T, exe [2]string) {
	t.Helper()
	for _, how := range []string{
		"", `trap "" HUP`, `trap "" INT QUIT`, `trap "" TERM`, `trap "" PIPE`, `trap "" CHLD`, `trap "" USR1 USR2 ALRM`, `trap "" TSTP TTIN TTOU`,
		"exec 3</dev/null 7</etc/passwd 9>>/dev/null", "exec 2>&-", "exec 0<&-", "exec 0<&- 2>&-",
		"ulimit -Sn 300; ulimit -Hn 400; ulimit -c 0", "ulimit -Ss 4096; ulimit -f 4000000", "ulimit -Sv 30000; ulimit -Sd 8000", "umask 027; cd /usr",
	} {
		var got [2]string
		for i := range exe {
			script := how + `
exec "$0" sh -c 'exec 5<&0 6>&1; pwd; cd /proc/$$; for i in 0 1 2 3 4 7 8 9; do
		if [ -e fd/$i ]; then echo $i $(readlink fd/$i | sed "s/:.*//") $(grep flags fdinfo/$i); fi
	done; grep Umask status; cut -d" " -f19 stat; cat limits'`
			// A shell has a signal mask of its own.
			signals := how + "\n" + `exec "$0" grep ^Sig[BIC] /proc/self/status`
			for _, s := range []string{script, signals} {
				o := outcomeOf(t, "", nil, "sh", "-c", s, exe[i])
				got[i] += o.state + "\n" + o.out
			}
		}
		if got[0] != got[1] {
			t.Errorf("%s after %q: C\n%s\nours\n%s", exe[1], how, got[0], got[1])
		}
	}
}

// The copier is killed by what kills C's, and lives on what does not.
func TestConformanceSignals(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		exe := pair(t, name)
		for sig := syscall.Signal(1); sig <= 64; sig++ {
			switch sig {
			case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, // stop it
				syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE: // keep the runtime's trace
				continue
			}
			c, cSaid := killed(t, exe[0], sig, true) // C has one thread
			o, oSaid := killed(t, exe[1], sig, !c.Signaled())
			const core = 0x80 // left one
			if c&^core != o&^core || cSaid != oSaid {
				t.Errorf("%s, signal %d: C %#x %s, ours %#x %s", name, sig, uint32(c), cSaid, uint32(o), oSaid)
			}
		}
	}
}

// A caller that goes away, and the ends of either side.
func TestConformanceCallerGoesAway(t *testing.T) {
	for _, name := range []string{"recordio", "fixcrio"} {
		var got [2]string
		for i, exe := range pair(t, name) {
			for _, socket := range []bool{false, true} {
				c := call(t, socket, exe, "yes")
				go io.Copy(io.Discard, c.log)
				c.out.ReadByte()
				c.in.Close()
				c.outFile.Close()
				c.cmd.Wait()
				got[i] += c.cmd.ProcessState.String() + "\n"
			}
		}
		if got[0] != got[1] {
			t.Errorf("%s: C %s, ours %s", name, got[0], got[1])
		}
	}
}
