package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = time.Minute // never exhausted

// ways are the two ways in which a socket waits.
var ways = map[string]func(context.Context) context.Context{
	"polled": func(ctx context.Context) context.Context { return ctx },
	"direct": Direct,
}

// serve accepts one connection on loopback and returns the address.
func serve(t *testing.T, talk func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err == nil {
			talk(c)
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// connect returns a connected socket.
func connect(t *testing.T, ctx context.Context, addr netip.AddrPort) *Conn {
	t.Helper()
	s, err := Open(ctx, syscall.SOCK_STREAM, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := errors.Join(s.Bind(netip.MustParseAddr("127.0.0.2")), s.Connect()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConversation(t *testing.T) {
	t.Parallel()
	// More than the kernel keeps, so that the writer has to wait.
	long := strings.Repeat("x", 10<<20)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, func(c net.Conn) {
				n, _ := io.CopyN(io.Discard, c, int64(len(long)))
				if from := c.RemoteAddr().(*net.TCPAddr).IP.String(); n == int64(len(long)) && from == "127.0.0.2" {
					io.WriteString(c, "thanks")
				}
			})
			s := connect(t, way(t.Context()), addr)
			s.SetDeadline(time.Now().Add(patience))
			if n, err := s.Write([]byte(long)); n != len(long) || err != nil {
				t.Errorf("wrote %d bytes, %v", n, err)
			}
			if got, err := io.ReadAll(s); string(got) != "thanks" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, Sockaddr(netip.MustParseAddrPort("127.0.0.1:0"))); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	nobody := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*syscall.SockaddrInet4).Port))
	for name, way := range ways {
		s, err := Open(way(t.Context()), syscall.SOCK_STREAM, nobody)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Connect(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

// The deadline is that of the socket or that of the context, whichever is
// earlier. It ends reading and writing.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	const soon = 30 * time.Millisecond
	for name, way := range ways {
		for _, tt := range []struct {
			name              string
			context, deadline time.Duration
		}{{"socket", patience, soon}, {"context", soon, patience}} {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				done := make(chan bool)
				defer close(done)
				addr := serve(t, func(c net.Conn) { <-done })
				start := time.Now()
				s := connect(t, way(Until(t.Context(), start.Add(tt.context))), addr)
				s.SetDeadline(start.Add(tt.deadline))
				if n, err := s.Write(make([]byte, 50<<20)); n == 50<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("write: %d, %v", n, err)
				}
				if n, err := s.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read: %d, %v", n, err)
				}
				if took := time.Since(start); took < soon || took > patience/2 {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}

// A context that ends closes a polled socket.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	done := make(chan bool)
	defer close(done)
	addr := serve(t, func(c net.Conn) { <-done })
	ctx, cancel := context.WithCancel(t.Context())
	s := connect(t, ctx, addr)
	cancel()
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	parent, cancel := context.WithCancel(t.Context())
	now := time.Now()
	past, future := Until(parent, now), Until(parent, now.Add(time.Hour))
	if err := past.Err(); err != context.DeadlineExceeded {
		t.Errorf("past: %v", err)
	}
	if err := future.Err(); err != nil {
		t.Errorf("future: %v", err)
	}
	if at, ok := Until(past, now.Add(time.Hour)).Deadline(); !ok || !at.Equal(now) {
		t.Errorf("a later deadline within an earlier one: %v, %v", at, ok)
	}
	cancel()
	for _, ctx := range []context.Context{past, future} {
		if err := ctx.Err(); err != context.Canceled {
			t.Errorf("canceled: %v", err)
		}
	}
}

// Within ends a Direct context without telling of it, any other with a timer.
func TestWithin(t *testing.T) {
	t.Parallel()
	ctx, cancel := Within(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	ctx, cancel = Within(t.Context(), time.Hour)
	if cancel(); ctx.Err() != context.Canceled {
		t.Errorf("canceled: %v", ctx.Err())
	}
	ctx, cancel = Within(Direct(t.Context()), time.Hour)
	if cancel(); ctx.Err() != nil || !isDirect(ctx) {
		t.Errorf("direct: %v", ctx.Err())
	}
	ctx, cancel = Within(Direct(t.Context()), 0)
	defer cancel()
	if ctx.Err() != context.DeadlineExceeded || ctx.Done() != t.Context().Done() {
		t.Errorf("direct, after the deadline: %v", ctx.Err())
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	in, out := int(r.Fd()), int(w.Fd())
	later := time.Now().Add(patience)
	if err := Wait(out, unix.POLLOUT, later); err != nil {
		t.Errorf("room to write: %v", err)
	}
	start := time.Now()
	if err := Wait(in, unix.POLLIN, start.Add(20*time.Millisecond)); err != os.ErrDeadlineExceeded || time.Since(start) < 20*time.Millisecond {
		t.Errorf("nothing to read: %v after %v", err, time.Since(start))
	}
	// Who always has something to say is not heard for ever.
	if err := Wait(out, unix.POLLOUT, start); err != os.ErrDeadlineExceeded {
		t.Errorf("after the deadline: %v", err)
	}
	w.Close()
	if err := Wait(in, unix.POLLIN, time.Time{}); err != nil {
		t.Errorf("the end of input: %v", err)
	}
}

func TestNoDelay(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		s := connect(t, way(t.Context()), serve(t, func(net.Conn) {}))
		delay := func() (value int) {
			s.try(func(fd int) (error, bool) {
				value, _ = syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
				return nil, true
			})
			return value
		}
		before := delay()
		if err := s.NoDelay(); err != nil || before != 0 || delay() == 0 {
			t.Errorf("%s: %v; the option was %d and is %d", name, err, before, delay())
		}
	}
}

func TestAddrPort(t *testing.T) {
	t.Parallel()
	lo, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Skip(err)
	}
	for text, want := range map[string]string{
		"192.0.2.1:25":                    "192.0.2.1:25",
		"[2001:db8::1]:25":                "[2001:db8::1]:25",
		"[::ffff:192.0.2.1]:25":           "192.0.2.1:25",
		"[fe80::1%1]:25":                  "[fe80::1%" + lo.Name + "]:25",
		"[fe80::1%" + lo.Name + "]:25":    "[fe80::1%" + lo.Name + "]:25",
		"[fe80::1%999999999]:25":          "[fe80::1%999999999]:25",
		"[fe80::1%no-such-interface]:25":  "[fe80::1]:25",
		"[fe80::1%../../../../../dev]:25": "[fe80::1]:25",
	} {
		if got, err := AddrPort(Sockaddr(netip.MustParseAddrPort(text))); err != nil || got.String() != want {
			t.Errorf("%s becomes %v, %v, want %s", text, got, err, want)
		}
	}
	if _, err := AddrPort(&syscall.SockaddrUnix{}); !errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Errorf("AddrPort of a Unix socket: %v", err)
	}
}
