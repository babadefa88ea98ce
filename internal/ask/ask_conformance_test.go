//go:build conformance

package ask_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

const zoneText = `
here.example A 127.0.0.1
many.example A 127.0.0.21
many.example A 127.0.0.1
text.example TXT text
`

var ports = []string{"11", "13", "17", "79", "80"}

var programs = []string{"who@", "date@", "finger@", "http@", "tcpcat"}

// A world is a network with a name server, and the programs of both makes in
// a folder each.
type world struct{ c, ours string }

func newWorld(t *testing.T) world {
	for _, name := range append([]string{"awk"}, programs...) {
		testprog.Peer(t, "/usr/bin/"+name)
	}
	testprog.NameServer(t, zoneText, testprog.OnPort53)
	return world{"/usr/bin", testprog.Dir(t)}
}

// everywhere starts the same service on each port.
func everywhere(t *testing.T, talk func(c *net.TCPConn)) map[string]service {
	t.Helper()
	services := map[string]service{}
	for _, port := range ports {
		services[port] = serve(t, "127.0.0.1:"+port, talk)
	}
	return services
}

// run is one command line. Around is what a shell does with it: "\"$@\"
// >/dev/full".
type run struct {
	args   []string
	around string
}

// observe returns all that the users of a program can see. The words of cat,
// awk and sh are their own.
func (w world) observe(t *testing.T, dir string, r run) string {
	t.Helper()
	around := r.around
	if around == "" {
		around = `"$@"`
	}
	args := append([]string{"-c", around, "sh", filepath.Join(dir, r.args[0])}, r.args[1:]...)
	cmd := exec.Command("/bin/sh", args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Run()
	messages := slices.DeleteFunc(strings.Split(stderr.String(), "\n"), func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return name == "cat" || name == "awk" || name == r.args[0] || strings.HasSuffix(line, "echo: echo: I/O error")
	})
	return fmt.Sprintf("%v %q %q", cmd.ProcessState, stdout.String(), messages)
}

func (w world) compare(t *testing.T, services map[string]service, r run) {
	t.Helper()
	c := w.observe(t, w.c, r) + requests(services)
	ours := w.observe(t, w.ours, r) + requests(services)
	if c != ours {
		t.Errorf("%s %q:\nC:    %.2000s\nours: %.2000s", r.around, r.args, c, ours)
	}
	if os.Getenv("SHOW") != "" {
		t.Logf("%s %q: %.200s", r.around, r.args, c)
	}
}

// requests returns what the services have heard since. A service that serves
// a connection of our own has done so with all that came before.
func requests(services map[string]service) string {
	var all strings.Builder
	for _, port := range ports {
		s, ok := services[port]
		if !ok {
			continue
		}
		const mark = "<mark>"
		c, err := net.Dial("tcp4", "127.0.0.1:"+port)
		if err != nil {
			return err.Error()
		}
		io.WriteString(c, mark)
		c.(*net.TCPConn).CloseWrite()
		for r := range s.requests {
			if r == mark {
				break
			}
			fmt.Fprintf(&all, " %s %q", port, r)
		}
		c.Close()
	}
	return all.String()
}

// Every program with every answer that is worth it, as one piece and in
// pieces.
func TestConformanceAnswers(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t)
	var every []byte
	for c := range 256 {
		every = append(every, byte(c))
	}
	answers := []string{
		"", "\n", "\r\n", "a", "a\n", "a\r", "\r", "\r\r\n", "\n\n\n", "\r\n\r\n\r\n",
		string(every), "\r\n" + string(every), "\n\n" + string(every) + "\n\r\n\r\r\n",
		"HTTP/1.0 200 OK\r\nA: b\r\n\r\nline 1\r\n\r\nline 3\r\r\n\nnul\x00in\nlast",
		"no header end\r\nat all\r\n", "A: b\r\n \r\n\t\r\n\x00\r\n\r\nbody\r\n \r\n\x00\r\n\v\n\f\n",
		"\r\n" + strings.Repeat("long line ", 300000) + "\r\n" + strings.Repeat("y", 100000),
		"H\r\n\r\n" + strings.Repeat("line\r\n\n", 200000),
		strings.Repeat("\r", 100000) + "\n\n\r" + strings.Repeat("\r", 70000),
	}
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"\r", "\n", "\r\n", "\n\n", "a", "\x00", "\xff", "\t", " ", "\x7f", "word\r\n"}
	for range 40 {
		var b strings.Builder
		for range rng.IntN(60) {
			b.WriteString(alphabet[rng.IntN(len(alphabet))])
		}
		answers = append(answers, b.String())
	}
	var answer string
	services := everywhere(t, func(c *net.TCPConn) { io.WriteString(c, answer) })
	for _, answer = range answers {
		for _, program := range programs {
			w.compare(t, services, run{args: []string{program}})
		}
	}
}

// Odd operands, hosts that cannot be reached, outputs that cannot be written.
func TestConformanceCommands(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t)
	services := everywhere(t, saying("H: x\r\n\r\nfirst\r\n\r\nsecond \x1b[2J\r\n"))
	hosts := []string{
		"127.0.0.1", "0", "", "here.example", "many.example", "text.example", "no.example",
		"127.0.0.21", "-h", "--", "1.2.3", " ", "[127].0.0.257", strings.Repeat("a", 64) + ".example", "127.0.0.1.127.0.0.1", "*", "$HOME",
	}
	for _, program := range programs {
		for _, host := range hosts {
			if host == "many.example" {
				w.eventually(t, program, host)
				requests(services)
				continue
			}
			w.compare(t, services, run{args: []string{program, host}})
		}
	}
	for _, second := range []string{
		"", "x", "a b", "/", "a\nb", "a\n", "*", "$HOME", "`id`", "\"'", "-x", "--", "%s%n", "\xff\x01\x7f", "a\rb", "a\r", strings.Repeat("x", 100000),
	} {
		w.compare(t, services, run{args: []string{"finger@", "0", second}})
		w.compare(t, services, run{args: []string{"finger@", "0", second, "more"}})
		w.compare(t, services, run{args: []string{"http@", "0", second}})
		w.compare(t, services, run{args: []string{"http@", "here.example", second, "80", "more"}})
		if len(second) < 1000 {
			w.compare(t, services, run{args: []string{"tcpcat", "0", second}})
			w.compare(t, services, run{args: []string{"http@", "0", "", second}})
		}
	}
	for _, port := range []string{"http", "17", "079", "65549", "80x", "0"} {
		w.compare(t, services, run{args: []string{"tcpcat", "0", port}})
		w.compare(t, services, run{args: []string{"http@", "0", "page", port}})
	}
	for _, program := range programs {
		for _, around := range []string{`"$@" >/dev/full`, `"$@" 2>/dev/full`, `"$@" </dev/null`, `"$@" <&-`, `"$@" 2>&1`, `"$@" 6<&0 7>&1`} {
			w.compare(t, services, run{args: []string{program}, around: around})
			w.compare(t, services, run{args: []string{program, "127.0.0.21"}, around: around})
		}
		// What was sent before the end may be seen or not, and words of cat
		// and tcpclient are mixed.
		for _, around := range []string{`"$@" >&- 2>/dev/null`, `trap '' PIPE; exec "$@" >/dev/full 2>/dev/null`} {
			w.compare(t, nil, run{args: []string{program}, around: around})
			w.compare(t, nil, run{args: []string{program, "127.0.0.21"}, around: around})
		}
		requests(services)
	}
}

// eventually compares what a host with a dead address answers, which is tried
// first or not at all.
func (w world) eventually(t *testing.T, program, host string) {
	t.Helper()
	for _, dir := range []string{w.c, w.ours} {
		seen := map[string]bool{}
		for range 100 {
			seen[w.observe(t, dir, run{args: []string{program, host}})] = true
			if len(seen) == 2 {
				break
			}
		}
		if len(seen) != 2 {
			t.Errorf("%s/%s %s: always %v", dir, program, host, seen)
		}
	}
}

// A reader of the output that goes away.
func TestConformanceUnread(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t)
	endless := []byte("\n\n" + strings.Repeat("line\r\n", 1000))
	everywhere(t, func(c *net.TCPConn) {
		for {
			if _, err := c.Write(endless); err != nil {
				return
			}
		}
	})
	for _, program := range programs {
		for _, before := range []string{"", "trap '' PIPE; "} {
			w.compare(t, nil, run{args: []string{program}, around: before + `("$@"; echo $? >&2) | true`})
		}
		w.compare(t, nil, run{args: []string{program, "127.0.0.21"}, around: `("$@"; echo $? >&2) 2>&1 | cat`})
	}
}

// Servers that do not wait for the request, or break the connection then.
func TestConformanceBroken(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newWorld(t)
	for name, talk := range map[string]func(c *net.TCPConn){
		"closes without a word": func(c *net.TCPConn) {},
		"resets when asked":     func(c *net.TCPConn) { c.Read(make([]byte, 1)); c.SetLinger(0) },
	} {
		for _, tt := range []struct{ program, port string }{{"who@", "11"}, {"date@", "13"}, {"tcpcat", "17"}, {"finger@", "79"}, {"http@", "80"}} {
			if name == "resets when asked" && tt.port < "79" {
				continue // they do not ask
			}
			l, err := net.Listen("tcp4", "127.0.0.1:"+tt.port)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					talk(c.(*net.TCPConn))
					c.Close()
				}
			}()
			w.compare(t, nil, run{args: []string{tt.program}})
			l.Close()
		}
	}
}
