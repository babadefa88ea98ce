package qmailsmtpd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// A process is the real program with a client.
type process struct {
	*testing.T
	net.Conn
	replies *bufio.Reader
	pid     int
}

// process starts the program; its client has been greeted.
func (s *site) process() *process {
	s.t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	server, client := os.NewFile(uintptr(ends[0]), "server"), os.NewFile(uintptr(ends[1]), "client")
	defer server.Close()
	defer client.Close()
	cmd := exec.Command(filepath.Join(testprog.Dir(s.t), "qmail-smtpd"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = server, server, os.Stderr
	cmd.Env = s.env
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	conn, err := net.FileConn(client)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close(); cmd.Wait() })
	p := &process{s.t, conn, bufio.NewReader(conn), cmd.Process.Pid}
	p.expect(1, greeting)
	return p
}

// send writes the pieces in the background.
func (p *process) send(pieces ...string) {
	go func() {
		for _, s := range pieces {
			if _, err := io.WriteString(p, s); err != nil {
				return
			}
		}
	}()
}

// expect reads n replies, which must be want.
func (p *process) expect(n int, want string) {
	p.Helper()
	for i := range n {
		got, err := p.replies.ReadString('\n')
		if got = accepted.ReplaceAllString(got, queued); err != nil || got != want {
			p.Fatalf("reply %d: %q, %v; want %q", i, got, err, want)
		}
	}
}

// memory returns a value of /proc/PID/status in kB.
func (p *process) memory(name string) int {
	p.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		p.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("\n"+name+":"))
	fields := bytes.Fields(after)
	if len(fields) == 0 {
		p.Skipf("/proc/PID/status has no %s", name)
	}
	kB, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		p.Fatal(err)
	}
	return kB
}

// holds checks that the idle process holds no more than that many kB, and held
// no more than most since it was started.
func (p *process) holds(after string, idle, most int) {
	p.Helper()
	now, peak := p.memory("VmRSS"), p.memory("VmHWM")
	p.Logf("after %s: %d kB, peak %d kB", after, now, peak)
	if now > idle || peak > most {
		p.Errorf("after %s: %d kB, peak %d kB; want at most %d and %d", after, now, peak, idle, most)
	}
}

const mega = 1 << 10 // kB

// Whatever a client has sent, its idle session holds 3 MiB at most; 4 MiB when
// it has sent very many messages. Not parallel, so that the figures can be
// told from those of others.
func TestMemory(t *testing.T) {
	s := newSite(t, nil)
	s.program("wc -c >message; tr '\\0' '\\n' <&1 >envelope")
	p := s.process()
	message := func(body ...string) {
		p.Helper()
		p.send(append([]string{send}, body...)...)
		p.expect(2, ok)
		p.expect(1, goAhead)
		p.expect(1, queued)
	}
	size := func() int {
		n, _ := strconv.Atoi(strings.TrimSpace(s.read("message")))
		return n
	}
	p.holds("the greeting", 3*mega, 3*mega)
	message("text\r\n.\r\n")
	received := size() - len("text\n")
	p.holds("a message", 3*mega, 3*mega)

	manyRecipients(t, s, p)
	p.holds("10,000 recipients", 3*mega, 3*mega)

	// 1 GiB in lines, and a line of 64 MiB.
	const line = "a line of the usual length, of which there are more than ten million..\r\n"
	const block = 1 << 20 / len(line)
	pieces := slices.Repeat([]string{strings.Repeat(line, block)}, 1<<30/(block*len(line)))
	n := len(pieces) * block * (len(line) - 1)
	message(append(pieces, ".\r\n")...)
	if got := size() - received; got != n {
		t.Errorf("1 GiB: the queue program got %d bytes, want %d", got, n)
	}
	p.holds("1 GiB", 3*mega, 3*mega)
	pieces = slices.Repeat([]string{strings.Repeat("x", 1<<20)}, 64)
	message(append(pieces, "\r\n.\r\n")...)
	if got := size() - received; got != 64<<20+1 {
		t.Errorf("long line: the queue program got %d bytes", got)
	}
	p.holds("a line of 64 MiB", 3*mega, 3*mega)

	longCommands(p)
	p.holds("long commands", 3*mega, 3*mega)

	// The largest envelope is held as long as it is needed.
	const each = 800
	rcpt := "RCPT TO:<" + strings.Repeat("x", each) + ">\r\n"
	p.send("RSET\r\nMAIL FROM:<>\r\n", strings.Repeat(rcpt, maxEnvelope/each+100))
	p.expect(1, "250 flushed\r\n")
	p.expect(1+maxEnvelope/(each+2), ok)
	p.send("RSET\r\n")
	p.expect(maxEnvelope/each+100-maxEnvelope/(each+2), tooMany)
	p.expect(1, "250 flushed\r\n")
	p.holds("the largest envelope", 3*mega, 8*mega)

	s.program("cat >/dev/null; cat <&1 >/dev/null")
	for range 2 * cleanAfter {
		message(".\r\n")
	}
	p.holds("many messages", 4*mega, 8*mega)
}

// manyRecipients sends a message that has 10,000 recipients, each of whom is in
// its envelope.
func manyRecipients(t *testing.T, s *site, p *process) {
	t.Helper()
	var rcpts, envelope strings.Builder
	envelope.WriteString("Fa@b\n")
	for i := range 10000 {
		fmt.Fprintf(&rcpts, "RCPT TO:<recipient%d@example.com>\r\n", i)
		fmt.Fprintf(&envelope, "Trecipient%d@example.com\n", i)
	}
	envelope.WriteString("\n")
	p.send("MAIL FROM:<a@b>\r\n", rcpts.String(), "DATA\r\n.\r\n")
	p.expect(10001, ok)
	p.expect(1, goAhead)
	p.expect(1, queued)
	if got := s.read("envelope"); got != envelope.String() {
		t.Errorf("10,000 recipients: envelope of %d bytes, want %d", len(got), envelope.Len())
	}
}

// longCommands sends commands of any kind and length.
func longCommands(p *process) {
	p.Helper()
	name := strings.Repeat("X", maxLine-100)
	for _, tt := range []struct{ command, reply string }{
		{name, unknown}, {"NOOP " + name, ok}, {"helo x", "250 mx.example.org\r\n"},
		{"MAIL FROM:<" + name + ">", syntax}, {"RCPT TO:" + name, "503 MAIL first (#5.5.1)\r\n"}, {"MAIL FROM:<A@B>", ok},
		{"EHLO " + name, "250-mx.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n"}, // stands in the Received fields of what follows
	} {
		p.send(strings.Repeat(tt.command+"\r\n", 500))
		for range 500 {
			for reply := range strings.SplitAfterSeq(strings.TrimSuffix(tt.reply, "\n"), "\n") {
				p.expect(1, strings.TrimSuffix(reply, "\n")+"\n")
			}
		}
	}
}

// A whole envelope goes to the queue program, however it lies in memory.
func TestEnvelopePieces(t *testing.T) {
	t.Parallel()
	var e envelope
	for _, sizes := range [][]int{nil, {1}, {firstPiece - 2}, {firstPiece - 1}, {500, 500, 500}, {firstPiece - 2, nextPiece - 2, 1, nextPiece - 4, 1, 3 * nextPiece, 5}} {
		e.start([]byte("sender"))
		want := "Fsender\x00"
		size := 0
		for i, n := range sizes {
			address := strings.Repeat(string(rune('a'+i)), n-n/3)
			suffix := strings.Repeat("s", n/3)
			if err := e.add([]byte(address), suffix); err != nil {
				t.Fatal(err)
			}
			want += "T" + address + suffix + "\x00"
			size += n + 2
		}
		var got strings.Builder
		if err := e.writeTo(&got); err != nil || got.String() != want+"\x00" {
			t.Errorf("recipients of %v: %d bytes, %v; want %d", sizes, got.Len(), err, len(want)+1)
		}
		if e.size != size || e.count != uint64(len(sizes)) {
			t.Errorf("recipients of %v: size %d, count %d", sizes, e.size, e.count)
		}
	}
	if e.start(nil); len(e.more) > 0 || e.size > 0 || e.count > 0 || cap(e.first) != firstPiece {
		t.Errorf("after the end: %+v", e)
	}
	for over := -1; over <= 1; over++ {
		e.size = maxEnvelope - len("Tab\x00") + over
		if got, want := e.full([]byte("a"), "b"), over > 0; got != want {
			t.Errorf("full with %d bytes too many = %v, want %v", over, got, want)
		}
	}
}
