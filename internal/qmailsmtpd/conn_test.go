package qmailsmtpd

import (
	"bufio"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Replies leave when input is waited for: not before, and not later.
func TestFlush(t *testing.T) {
	t.Parallel()
	c := newSite(t, nil).connect()
	replies := bufio.NewReader(c)
	expect := func(want string) {
		t.Helper()
		for line := range strings.SplitAfterSeq(strings.TrimSuffix(want, "\r\n"), "\r\n") {
			if got, err := replies.ReadString('\n'); strings.TrimSpace(got) != strings.TrimSpace(line) {
				t.Fatalf("got %q, %v; want %q", got, err, line)
			}
		}
	}
	expect(greeting)
	io.WriteString(c, "MAIL FROM:<a>\r\nRC")
	expect(ok)
	io.WriteString(c, "PT TO:<b@example.com>\r\nRSET\r\nMAIL FROM:<>\r\n")
	expect(ok + "250 flushed\r\n" + ok)
	io.WriteString(c, "RCPT TO:<b>\r\nDATA\r\n")
	expect(ok + goAhead)
	io.WriteString(c, "x\r\n.\r\nQUIT\r\n")
	if got, _ := replies.ReadString('\n'); !accepted.MatchString(got) {
		t.Errorf("got %q, want an accepted message", got)
	}
	expect("221 mx.example.org\r\n")
	if code := <-c.code; code != 0 {
		t.Errorf("exit %d after QUIT", code)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{"idle": "", "in a command": "NO", "in data": send + "x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSite(t, map[string]string{"timeoutsmtpd": "0"}).connect(drain)
			io.WriteString(c, in)
			out, _ := io.ReadAll(c) // the session must end while our side is open
			if !strings.HasSuffix(string(out), "451 timeout (#4.4.2)\r\n") {
				t.Errorf("got %q, want a timeout", out)
			}
			if code := <-c.code; code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
		})
	}
}

// A client that does not read its replies cannot keep the session for ever,
// and neither can one that reads too little of them.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	for name, reads := range map[string]int{"nothing": 0, "a byte now and then": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSite(t, map[string]string{"timeoutsmtpd": "1"}).connect()
			go io.WriteString(c, strings.Repeat("NOOP\r\n", 200000))
			if code := c.drip(t, func() { c.Read(make([]byte, reads)) }); code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
		})
	}
}

// A client that sends bytes now and then, but no line, is idle.
func TestSlowLine(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{"command": "", "data": send} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSite(t, map[string]string{"timeoutsmtpd": "1"}).connect(drain)
			io.WriteString(c, in)
			if code := c.drip(t, func() { io.WriteString(c, "x") }); code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			if out, _ := io.ReadAll(c); !strings.HasSuffix(string(out), "451 timeout (#4.4.2)\r\n") {
				t.Errorf("got %q, want a timeout", out)
			}
		})
	}
}

// drip does something small again and again until the session has ended.
func (c *client) drip(t *testing.T, small func()) (code int) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		select {
		case code := <-c.code:
			return code
		case <-tick.C:
			small()
		case <-late:
			t.Error("the session goes on")
			return 0
		}
	}
}

// A line, or as much as a long one holds, gives the client new time.
func TestLineGivesTime(t *testing.T) {
	t.Parallel()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(ends[0])
	defer syscall.Close(ends[1])
	c := &conn{in: ends[1], timeout: time.Hour}
	buf := make([]byte, 2*maxLine)
	for _, tt := range []struct {
		in    string
		fresh bool
	}{
		{"x", false}, {"y", false}, {"\n", true}, {"x", false}, {"y\nx", true}, {"x", false},
		{strings.Repeat("x", maxLine-2), false}, {"x", true}, {strings.Repeat("x", maxLine), true}, {"\n", true},
	} {
		if _, err := syscall.Write(ends[0], []byte(tt.in)); err != nil {
			t.Fatal(err)
		}
		before := c.coming
		if n, err := c.Read(buf); n != len(tt.in) || err != nil {
			t.Fatalf("Read = %d, %v", n, err)
		}
		if fresh := c.coming.bytes == 0; fresh != tt.fresh {
			t.Errorf("after %.10q of %d bytes: new time %v, want %v", tt.in, len(tt.in), fresh, tt.fresh)
		}
		if left := c.coming.left; left >= time.Hour || before.bytes > 0 && left >= before.left {
			t.Errorf("after %.10q: %v left of %v", tt.in, left, before.left)
		}
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]time.Duration{0: time.Second, 1: time.Second, 1200: 1200 * time.Second, 1 << 63: 2147483 * time.Second} {
		if got := seconds(n); got != want {
			t.Errorf("seconds(%d) = %v, want %v", n, got, want)
		}
	}
}

// The connection is shared with other processes, which expect it to block.
func TestStaysBlocking(t *testing.T) {
	t.Parallel()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(ends[0])
	defer syscall.Close(ends[1])
	c := &conn{in: ends[1], out: ends[1], timeout: time.Second}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != errTimeout {
		t.Errorf("Read = %v, want a timeout", err)
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(ends[1]), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_NONBLOCK != 0 {
		t.Errorf("the descriptor no longer blocks: flags %#x, %v", flags, errno)
	}
}
