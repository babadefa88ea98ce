package ask_test

import (
	"bytes"
	"io"
	"net"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

const patience = 60 * time.Second

// A service answers every connection in the same way.
type service struct {
	port     string
	requests chan string // what each client sent until it closed the connection
}

// serve answers with talk, one client after the other. Then it ends its side
// and records what the client sends, talk's own reading left out, until the
// client closes the connection or breaks it.
func serve(t *testing.T, address string, talk func(c *net.TCPConn)) service {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := service{port, make(chan string, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.converse(c.(*net.TCPConn), talk)
		}
	}()
	return s
}

func (s service) converse(c *net.TCPConn, talk func(c *net.TCPConn)) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	talk(c)
	c.CloseWrite()
	request, _ := io.ReadAll(c)
	s.requests <- string(request)
}

// saying is what talks to say text.
func saying(text string) func(c *net.TCPConn) {
	return func(c *net.TCPConn) { io.WriteString(c, text) }
}

// request returns the next request.
func (s service) request(t *testing.T) string {
	t.Helper()
	select {
	case r := <-s.requests:
		return r
	case <-time.After(patience):
		t.Fatal("no request")
		return ""
	}
}

// command is one of the programs, which is killed when it hangs.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(testprog.Dir(t), name), args...)
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return cmd
}

// Unlike dash's echo in the C script, a backslash is a byte like any other.
func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0", saying("HTTP/1.0 200 OK\r\n\r\npage\r\n"))
	for _, tt := range []struct{ host, page, want string }{
		{"127.0.0.1", "", "GET / HTTP/1.0\r\nHost: 127.0.0.1:P\r\n\r\n"},
		{"", "a b", "GET /a b HTTP/1.0\r\nHost: :P\r\n\r\n"},
		{"0", "/x?y&z=$1", "GET //x?y&z=$1 HTTP/1.0\r\nHost: 0:P\r\n\r\n"},
		{"0", "x HTTP/1.0\nX: y\r\nZ:", "GET /x HTTP/1.0\r\nX: y\r\r\nZ: HTTP/1.0\r\nHost: 0:P\r\n\r\n"},
		{"0", `a\tb\\c\n\0101\c`, `GET /a\tb\\c\n\0101\c HTTP/1.0` + "\r\nHost: 0:P\r\n\r\n"},
		{"0", "\xff\xe4", "GET /\xff\xe4 HTTP/1.0\r\nHost: 0:P\r\n\r\n"},
	} {
		out, err := command(t, "http@", tt.host, tt.page, s.port, "ignored").CombinedOutput()
		if err != nil || string(out) != "page\n" {
			t.Errorf("http@ %q %q: %q, %v", tt.host, tt.page, out, err)
			continue
		}
		if got, want := s.request(t), strings.Replace(tt.want, ":P\r", ":"+s.port+"\r", 1); got != want {
			t.Errorf("http@ %q %q sends %q, want %q", tt.host, tt.page, got, want)
		}
	}
}

// The programs whose ports are fixed.
func TestFixedPorts(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	services := map[string]service{}
	for _, port := range []string{"11", "13", "17", "79", "80"} {
		services[port] = serve(t, "127.0.0.1:"+port, saying("\r\nfrom \x1b"+port+"\r\n"))
	}
	for _, tt := range []struct{ command, port, want, request string }{
		{"who@", "11", "\nfrom ^[11\n", ""},
		{"who@ 127.0.0.1 ignored", "11", "\nfrom ^[11\n", ""},
		{"date@ 0", "13", "\nfrom ^[13\n", ""},
		{"finger@", "79", "\nfrom ^[79\n", "\r\n"},
		{"finger@ 0 joe ignored", "79", "\nfrom ^[79\n", "joe\r\n"},
		{"finger@ 0 -n", "79", "\nfrom ^[79\n", "-n\r\n"}, // unlike dash's echo
		{`finger@ 0 a\bc\c`, "79", "\nfrom ^[79\n", `a\bc\c` + "\r\n"},
		{"http@", "80", "from \x1b80\n", "GET / HTTP/1.0\r\nHost: 0:80\r\n\r\n"},
		{"tcpcat", "17", "\r\nfrom \x1b17\r\n", ""},
	} {
		words := strings.Fields(tt.command)
		out, err := command(t, words[0], words[1:]...).CombinedOutput()
		if err != nil || string(out) != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.command, out, err, tt.want)
			continue
		}
		if got := services[tt.port].request(t); got != tt.request {
			t.Errorf("%s sends %q, want %q", tt.command, got, tt.request)
		}
	}
}

// What has come is printed before more comes.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"tcpcat", nil, []string{"\n", "a", "\r", "\nb\n"}},
		{"http@", []string{""}, []string{"", "a", "", "\nb\n"}},
	} {
		next := make(chan string)
		s := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
			for text := range next {
				io.WriteString(c, text)
			}
		})
		cmd := command(t, tt.name, append(append([]string{"127.0.0.1"}, tt.args...), s.port)...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{"\n", "a", "\r", "\nb\n"} {
			next <- text
			got := make([]byte, len(tt.want[i]))
			if _, err := io.ReadFull(out, got); err != nil || string(got) != tt.want[i] {
				t.Errorf("%s: after %q: %q, %v; want %q", tt.name, text, got, err, tt.want[i])
			}
		}
		close(next)
		rest, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil || len(rest) > 0 {
			t.Errorf("%s: %q at the end, %v", tt.name, rest, err)
		}
	}
}

// A connection that breaks ends tcpcat with an error, as cat's; the others
// show what came.
func TestReset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"tcpcat", nil, 1, "tcpcat: fatal: unable to read the answer: connection reset\n"},
		{"http@", []string{""}, 0, ""},
	} {
		printed := make(chan bool)
		s := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
			io.WriteString(c, "\nab")
			<-printed
			c.SetLinger(0)
			c.Close()
		})
		cmd := command(t, tt.name, append(append([]string{"127.0.0.1"}, tt.args...), s.port)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for c := make([]byte, 1); c[0] != 'b'; {
			if _, err := out.Read(c); err != nil {
				t.Fatal(err)
			}
		}
		close(printed)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || stderr.String() != tt.want {
			t.Errorf("%s: exit code %d, %q; want %d, %q", tt.name, code, stderr.String(), tt.code, tt.want)
		}
	}
}

// Signals end the programs as they end the C programs, without a trace of the
// Go runtime.
func TestSignals(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
		io.WriteString(c, "\n\nx")
		io.Copy(io.Discard, c)
	})
	for _, sig := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM, syscall.SIGUSR1,
		syscall.SIGUSR2, syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGIO, syscall.SIGPWR,
		syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGSTKFLT, syscall.SIGSYS, 34, 40, 64,
	} {
		for name, args := range map[string][]string{"tcpcat": {"0", s.port}, "http@": {"0", "", s.port}, "mconnect": {"0", s.port}} {
			// Under nohup these tests ignore SIGHUP, and so does what they start.
			if name == "mconnect" && sig == syscall.SIGPIPE || signal.Ignored(sig) {
				continue
			}
			cmd := command(t, name, args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for c := make([]byte, 1); c[0] != 'x'; {
				if _, err := out.Read(c); err != nil {
					t.Fatal(err)
				}
			}
			cmd.Process.Signal(sig)
			cmd.Wait()
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != sig || stderr.Len() > 0 {
				t.Errorf("%s, %v: %v, %q", name, sig, cmd.ProcessState, stderr.String())
			}
		}
	}
}
