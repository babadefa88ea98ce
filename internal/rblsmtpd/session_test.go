package rblsmtpd

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// converse returns what a client reads that sends the input in pieces.
func converse(t testing.TB, input []byte, piece int) string {
	t.Helper()
	in, out := pipe(t), pipe(t)
	go func() {
		for rest := input; len(rest) > 0; {
			n := min(piece, len(rest))
			if _, err := in[1].Write(rest[:n]); err != nil {
				break // the session has ended
			}
			rest = rest[n:]
		}
		in[1].Close()
	}()
	go func() {
		s := session{conn: conn{in: int(in[0].Fd()), out: int(out[1].Fd()), deadline: time.Now().Add(time.Minute)}, refusal: "451 no"}
		s.serve()
		in[0].Close()
		out[1].Close()
	}()
	got, err := io.ReadAll(out[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func pipe(t testing.TB) [2]*os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return [2]*os.File{r, w}
}

// replies is another way to say what a session answers.
func replies(input []byte) string {
	out := "220 rblsmtpd.local\r\n"
	for {
		command, rest, found := bytes.Cut(input, []byte("\n"))
		if !found {
			return out
		}
		input = rest
		command = bytes.TrimSuffix(command, []byte("\r"))
		verb, _, _ := bytes.Cut(command, []byte(" "))
		is := func(name string) bool { return len(verb) == 4 && strings.EqualFold(string(verb), name) }
		switch {
		case is("QUIT"):
			return out + "221 rblsmtpd.local\r\n"
		case is("helo"), is("ehlo"), is("mail"), is("rset"), is("noop"):
			out += "250 rblsmtpd.local\r\n"
		default:
			out += "451 no\r\n"
		}
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	const greeting, ok, no, bye = "220 rblsmtpd.local\r\n", "250 rblsmtpd.local\r\n", "451 no\r\n", "221 rblsmtpd.local\r\n"
	for _, tt := range []struct{ in, want string }{
		{"", greeting},
		{"HELO x\r\nmail FROM:<>\r\nRcpt TO:<a@b>\r\nDATA\r\nrSet\r\nNOOP\r\nEHLO\r\nquit\r\nnoop\r\n", greeting + ok + ok + no + no + ok + ok + ok + bye},
		{"quit\n", greeting + bye},
		{"QUIT  now\r\n", greeting + bye},
		{"quit", greeting},
		{"noop\r\nquit", greeting + ok},
		{"quit\r\r\n", greeting + no},
		{"quit\rx\r\n", greeting + no},
		{"\r\n\n \n quit\n", greeting + no + no + no + no},
		{"quit\x00\r\n\x00quit\r\n", greeting + no + no},
		{"quit\t\r\nquitx\r\nqui\r\n", greeting + no + no + no},
		{strings.Repeat("x", 100000) + "\r\nquit " + strings.Repeat("x", 100000) + "\r\n", greeting + no + bye},
		{strings.Repeat("\n", 3000), greeting + strings.Repeat(no, 3000)},
	} {
		for _, piece := range []int{1, 7, 1 << 20} {
			if piece == 1 && len(tt.in) > 5000 {
				continue
			}
			if got := converse(t, []byte(tt.in), piece); got != tt.want {
				t.Errorf("%.40q in pieces of %d: %.400q, want %.400q", tt.in, piece, got, tt.want)
			}
		}
	}
}

func FuzzSession(f *testing.F) {
	for _, s := range []string{"", "quit", "HELO x\r\nquit\r\n", "mail\r\r\n\x00\nquit \x00\n", "noop\nQUIT\r\nrset\n", "quitt\r\nquit\r\r\nquit\r x\n"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, input []byte, piece int) {
		piece = max(1, piece)
		if len(input)/piece > 1000 {
			piece = len(input)
		}
		if got, want := converse(t, input, piece), replies(input); got != want {
			t.Errorf("%q: %q, want %q", input, got, want)
		}
	})
}

// The deadline ends a session whose client says nothing, and one whose client
// does not read.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, flood := range map[string]bool{"silent": false, "deaf": true} {
		in, out := pipe(t), pipe(t)
		if flood {
			go func() {
				for {
					if _, err := in[1].Write(bytes.Repeat([]byte("\n"), 4096)); err != nil {
						return
					}
				}
			}()
		}
		start := time.Now()
		s := session{conn: conn{in: int(in[0].Fd()), out: int(out[1].Fd()), deadline: start.Add(100 * time.Millisecond)}, refusal: strings.Repeat("x", 200)}
		s.serve()
		if took := time.Since(start); took < 100*time.Millisecond || took > 30*time.Second {
			t.Errorf("%s: the session took %v", name, took)
		}
		in[0].Close()
	}
}

// A descriptor that is not open, and one that cannot be written, end nothing.
func TestNoOutput(t *testing.T) {
	t.Parallel()
	in := pipe(t)
	in[1].WriteString("noop\r\nquit\r\nrest")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, fd := range []int{-1, int(full.Fd())} {
		s := session{conn: conn{in: -1, out: fd}, refusal: "x"}
		s.serve()
		in[1].WriteString("noop\r\nquit\r\n")
		s.conn.in = int(in[0].Fd())
		s.serve()
	}
}

// Descriptors may be in non-blocking mode.
func TestNonBlocking(t *testing.T) {
	t.Parallel()
	in, out := pipe(t), pipe(t)
	s := session{conn: conn{in: int(in[0].Fd()), out: int(out[1].Fd())}, refusal: strings.Repeat("x", 200)}
	unix.SetNonblock(s.conn.in, true)
	unix.SetNonblock(s.conn.out, true)
	const lines = 5000
	go func() {
		in[1].Write(bytes.Repeat([]byte("\n"), lines))
		in[1].Close()
	}()
	go func() { s.serve(); out[1].Close() }()
	got, _ := io.ReadAll(out[0])
	if want := lines*(200+2) + len("220 rblsmtpd.local\r\n"); len(got) != want {
		t.Errorf("%d bytes came, want %d", len(got), want)
	}
}

// Commands leave nothing behind in memory, however many a client sends.
func TestNoGarbage(t *testing.T) {
	input := []byte("MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nunknown command\r\n")
	s := session{conn: conn{in: -1, out: -1}, refusal: "451 no"}
	if n := testing.AllocsPerRun(100, func() {
		s.take(input)
		s.flush()
	}); n != 0 {
		t.Errorf("%v allocations for three commands", n)
	}
}
