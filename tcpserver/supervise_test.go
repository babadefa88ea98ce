package tcpserver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

func signalServer(t *testing.T, s *testprog.Server, sig syscall.Signal) {
	t.Helper()
	if err := s.Cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// -W ready writes a newline when connections are accepted, and gives the
// descriptor up: neither server nor programs keep it.
func TestReady(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := command(t, "-1", "-RHl0", "-W", "ready=3", "127.0.0.1", "0", "sh", "-c", showWorld)
	cmd.ExtraFiles = []*os.File{w}
	s := startCommand(t, cmd)
	pipe := link(t, w)
	w.Close()
	r.SetReadDeadline(time.Now().Add(patience))
	if got, err := io.ReadAll(r); err != nil || string(got) != "\n" {
		t.Errorf("ready is %q, %v", got, err)
	}
	world := fetch(t, s)
	knowsNothing(t, world)
	if strings.Contains(world, pipe) {
		t.Errorf("the program has %s: %q", pipe, world)
	}
	stop(t, s)
}

// Who cannot start is never ready, whatever the last thing is that fails.
func TestNotReady(t *testing.T) {
	t.Parallel()
	for _, operands := range [][]string{
		{"192.0.2.1", "0", "true"},
		{"-W", "limit=/nowhere/x", "127.0.0.1", "0", "true"},
		{"-W", "counters=/nowhere/x", "127.0.0.1", "0", "true"},
	} {
		path := filepath.Join(t.TempDir(), "notify")
		notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer notify.Close()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd := command(t, append([]string{"-q", "-W", "ready=3"}, operands...)...)
		cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path)
		cmd.ExtraFiles = []*os.File{w}
		err = cmd.Run()
		w.Close()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 111 {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || len(got) > 0 {
			t.Errorf("%q: ready is %q, %v", operands, got, err)
		}
		// What the server has sent would come before this.
		if _, err := notify.WriteToUnix([]byte("end"), notify.LocalAddr().(*net.UnixAddr)); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, 100)
		if n, err := notify.Read(heard); err != nil || string(heard[:n]) != "end" {
			t.Errorf("%q: the notify socket heard %q, %v", operands, heard[:n], err)
		}
	}
}

// Standard output can be that descriptor too.
func TestReadyOnStandardOutput(t *testing.T) {
	t.Parallel()
	cmd := command(t, "-RHl0", "-W", "ready=1", "127.0.0.1", "0", "true")
	r, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	r.(*os.File).SetReadDeadline(time.Now().Add(patience))
	if got, err := io.ReadAll(r); err != nil || string(got) != "\n" {
		t.Errorf("ready is %q, %v", got, err)
	}
}

// NOTIFY_SOCKET hears that the server is ready and that it stops; the programs
// do not know of it. A path that nobody listens on is no more than a warning.
func TestNotifySocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	for _, name := range []string{path, "@ucspi-go-test-" + strconv.Itoa(os.Getpid())} {
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		l.SetReadDeadline(time.Now().Add(patience))
		cmd := command(t, "-1", "-RHl0", "127.0.0.1", "0", "sh", "-c", showWorld)
		cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+name)
		s := startCommand(t, cmd)
		knowsNothing(t, fetch(t, s))
		stop(t, s)
		for _, want := range []string{"READY=1", "STOPPING=1"} {
			buf := make([]byte, 100)
			n, err := l.Read(buf)
			if err != nil || string(buf[:n]) != want {
				t.Errorf("%s: %q, %v, want %s", name, buf[:n], err, want)
			}
		}
	}
	cmd := command(t, "-1", "-RHl0", "127.0.0.1", "0", "true")
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET=/nowhere/notify")
	s := startCommand(t, cmd)
	fetch(t, s)
	if log, want := stop(t, s), "tcpserver: warning: unable to say that the server is ready: file does not exist\n"; log != want {
		t.Errorf("log %q, want %q", log, want)
	}
}

// -W drain: after SIGTERM nobody is let in, and the server ends when the last
// program does, whose end it tells.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"drain", "drain handover", "drain socket=0", "drain socket=3"} { // each stops in another way
		args := []string{"-1", "-vRHl0"}
		for word := range strings.FieldsSeq(words) {
			args = append(args, "-W", word)
		}
		cmd := command(t, append(args, "127.0.0.1", "0", "cat")...)
		f, _ := listener(t)
		switch {
		case strings.HasSuffix(words, "=0"):
			cmd.Stdin = f
		case strings.HasSuffix(words, "=3"):
			cmd.ExtraFiles = []*os.File{f}
		}
		s := startCommand(t, cmd)
		f.Close()
		c := dial(t, s)
		waitLog(t, s, "^tcpserver: ok ", 1)
		signalServer(t, s, syscall.SIGTERM)
		refuses(t, s.Port)
		fmt.Fprintln(c, "still there")
		if got := c.line(t); got != "still there" {
			t.Errorf("got %q", got)
		}
		c.Close()
		if err := s.Exited(); err != nil || !s.Cmd.ProcessState.Success() {
			t.Fatalf("%v, %v", s.Cmd.ProcessState, err)
		}
		// Told by a server that was there when the program ended.
		if last := regexp.MustCompile(`\ntcpserver: end [0-9]+ status 0\ntcpserver: status: 0/40\n$`); !last.MatchString(s.Log()) {
			t.Errorf("-W %s: the log is\n%s", words, s.Log())
		}
	}
}

// refuses waits until connections to a port are refused.
func refuses(t *testing.T, port string) {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; {
		conn, err := net.DialTimeout("tcp4", "127.0.0.1:"+port, patience)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatal("somebody listens still")
}

// A second SIGTERM ends the waiting; the programs go on.
func TestDrainImpatiently(t *testing.T) {
	t.Parallel()
	s := start(t, "-vRHl0", "-W", "drain", "127.0.0.1", "0", "cat")
	c := dial(t, s)
	waitLog(t, s, "^tcpserver: ok ", 1)
	signalServer(t, s, syscall.SIGTERM)
	refuses(t, s.Port)
	signalServer(t, s, syscall.SIGTERM)
	if err := s.Exited(); err != nil || !s.Cmd.ProcessState.Success() {
		t.Fatalf("%v, %v", s.Cmd.ProcessState, err)
	}
	fmt.Fprintln(c, "still there")
	if got := c.line(t); got != "still there" {
		t.Errorf("got %q", got)
	}
}

// SIGHUP reads the limit again: who waits is let in when it is raised, and
// nobody more when it is lowered. A bad file is told and changes nothing.
func TestLimitFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "concurrencyincoming")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("1\n")
	s := start(t, "-vRHl0", "-c5", "-W", "limit="+file, "127.0.0.1", "0", "sh", "-c", "echo hello; read x")
	one, two := dial(t, s), dial(t, s)
	one.line(t)
	waitLog(t, s, "^tcpserver: status: 1/1$", 1)
	write(" 2 \nrest")
	signalServer(t, s, syscall.SIGHUP)
	two.line(t)
	waitLog(t, s, "^tcpserver: status: 2/2$", 1)

	write("many\n")
	signalServer(t, s, syscall.SIGHUP)
	waitLog(t, s, "^tcpserver: warning: unable to read "+file+": not a number$", 1)

	write("1\n")
	signalServer(t, s, syscall.SIGHUP)
	waitLog(t, s, "^tcpserver: status: 2/1$", 1)
	three := dial(t, s)
	one.Close()
	waitLog(t, s, "^tcpserver: end ", 1)
	two.Close()
	three.line(t)
	three.Close()
	waitLog(t, s, `^tcpserver: end `, 3)
	waitLog(t, s, `^tcpserver: status: 0/1\n\z`, 1)
	for _, tooMany := range []string{"status: 2/1\ntcpserver: pid", "status: 3/"} {
		if log := stop(t, s); strings.Contains(log, tooMany) {
			t.Errorf("%q in the log:\n%s", tooMany, log)
		}
	}
}

// A lowered limit holds for those who are in wait for a connection already.
func TestLimitLowered(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "limit")
	if err := os.WriteFile(file, []byte("9"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, "-vRHl0", "-W", "limit="+file, "127.0.0.1", "0", "echo", "hello")
	fetch(t, s)
	waitLog(t, s, "^tcpserver: status: 0/9$", 2)
	if err := os.WriteFile(file, []byte("0"), 0o644); err != nil {
		t.Fatal(err)
	}
	signalServer(t, s, syscall.SIGHUP)
	waitLog(t, s, "^tcpserver: status: 0/0$", 1)
	c := dial(t, s)
	if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	signalServer(t, s, syscall.SIGHUP)
	if got := c.line(t); got != "hello" {
		t.Errorf("got %q", got)
	}
	if log := stop(t, s); strings.Contains(log, "status: 1/0") {
		t.Errorf("log:\n%s", log)
	}
}

// SIGUSR1 prints who is connected, the oldest first, whatever -q says.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	s := start(t, "-qRHl0", "-c3", "-W", "status", "127.0.0.1", "0", "sh", "-c", "echo $$; read x")
	signalServer(t, s, syscall.SIGUSR1)
	waitLog(t, s, `\Atcpserver: table: 0/3\n\z`, 1)
	asked, want := 1, `tcpserver: table: %d/3\n`
	for n := 1; n <= 2; n++ {
		c := dial(t, s)
		defer c.Close()
		want += "tcpserver: table: pid " + c.line(t) + " from " + c.LocalAddr().String() + " age [0-9]+\n"
		// The program may have said its line before the server knows of it.
		expr := regexp.MustCompile(fmt.Sprintf(want, n) + "tcpserver: table: ")
		for began := time.Now(); !expr.MatchString(s.Log()); {
			if time.Since(began) > patience {
				t.Fatalf("not in the log: %s\n%s", expr, s.Log())
			}
			asked++
			signalServer(t, s, syscall.SIGUSR1)
			waitLog(t, s, `^tcpserver: table: [0-9]/3$`, asked)
		}
	}
	stop(t, s)
}

// -W json: each line is an object, in the order of the lines of 0.88, also
// warnings and what keeps the server from starting.
func TestJSONLog(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), "127.0.0.1:allow\n127.0.0.2:deny\n")
	s := start(t, "-vRH", "-lhere", "-W", "json", "-W", "status", "-x", db, "127.0.0.1", "0", "sh", "-c", "echo hello; exit 3")
	fetch(t, s)
	waitLog(t, s, `"event":"end"`, 1)
	waitLog(t, s, `"running":0,"limit":40}$`, 2)
	visitFrom(t, s, "127.0.0.2")
	waitLog(t, s, `"running":0,"limit":40}$`, 3)
	signalServer(t, s, syscall.SIGUSR1)
	waitLog(t, s, `"event":"table"`, 1)
	var events []string
	for line := range strings.Lines(stop(t, s)) {
		var o struct {
			Time                                               time.Time
			Event                                              string
			Status, Exit, Limit                                int
			Local_host, Remote_ip, Local_ip, Rule, Remote_host *string
			Local_port                                         int
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil || time.Since(o.Time).Abs() > time.Hour {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, o.Event)
		switch {
		case o.Event == "ok" && (*o.Local_host != "here" || *o.Remote_ip != "127.0.0.1" || *o.Rule != "127.0.0.1" || o.Remote_host != nil || strconv.Itoa(o.Local_port) != s.Port),
			o.Event == "deny" && (*o.Rule != "127.0.0.2" || *o.Remote_ip != "127.0.0.2"),
			o.Event == "end" && (o.Status != o.Exit<<8 || o.Exit != 3 && o.Exit != 100):
			t.Error(line)
		}
	}
	if got, want := strings.Join(events, " "), "status status pid ok end status status pid deny end status table"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}

	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-W", "json", "192.0.2.1", "0", "true"}, 111, `"event":"fatal","text":"unable to bind: address not available","exit":111}` + "\n"},
		{[]string{"-W", "json", "-x", "/nowhere"}, 100, `"exit":100}` + "\n"},
		{[]string{"-q", "-W", "json", "192.0.2.1", "0", "true"}, 111, ""},
	} {
		cmd := command(t, tt.args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != tt.code || !strings.HasSuffix(string(out), tt.want) || (tt.want == "") != (len(out) == 0) || len(out) > 0 && !json.Valid(out) {
			t.Errorf("%q: exit %d, %s", tt.args, cmd.ProcessState.ExitCode(), out)
		}
	}
	s = start(t, "-RHl0", "-W", "json", "-x", "/nowhere/x.cdb", "127.0.0.1", "0", "true")
	fetch(t, s)
	waitLog(t, s, `^\{"time":"[^"]+","event":"warning","text":"dropping connection, unable to read /nowhere/x.cdb: file does not exist"\}$`, 1)
	stop(t, s)
}

// visitFrom makes a connection from an address of the loopback interface.
func visitFrom(t *testing.T, s *testprog.Server, address string) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: patience}
	conn, err := d.Dial("tcp4", "127.0.0.1:"+s.Port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
}
