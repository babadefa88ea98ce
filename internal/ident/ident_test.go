package ident

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func TestReadReply(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"usual", "6191 , 23 : USERID : UNIX : stjohns\r\n", "stjohns"},
		{"blanks", "1,2:USERID:UNIX: \tj o\te \r\n", "joe"},
		{"carriage returns", "1,2:USERID:UNIX:a\rb\r\r\n", "ab"},
		{"more colons", "1,2:USERID:UNIX:a:b::\n", "a:b::"},
		{"error", "1 , 2 : ERROR : NO-USER\r\n", ""},
		{"no colon", "what?\r\n", ""},
		{"empty line", "\n", ""},
		{"empty info", "1,2:USERID:UNIX:\r\n", ""},
		{"second line", "1,2:USERID:UNIX:a\nb\n", "a"},
		{"odd bytes", ":::\x01\xff%\\\n", "\x01\xff%\\"},
		{"nul", ":::a\x00b\n", "a"},
		{"256 bytes", ":::" + strings.Repeat("x", 256) + "\n", strings.Repeat("x", 256)},
		{"257 bytes, no end", ":::" + strings.Repeat("x", 257), strings.Repeat("x", 257)},
		{"300 bytes", ":::" + strings.Repeat("x ", 300) + "\n", strings.Repeat("x", 257)},
		{"long head", strings.Repeat("h", 100000) + ":::a\n", "a"},
	} {
		for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
			if got, err := readReply(r); err != nil || got != tt.want {
				t.Errorf("%s: readReply = %q, %v, want %q", tt.name, got, err, tt.want)
			}
		}
	}
	for _, in := range []string{"", "1,2:USERID:UNIX:joe", "1,2:ERROR", ":::" + strings.Repeat("x", 256)} {
		if got, err := readReply(strings.NewReader(in)); err == nil || got != "" {
			t.Errorf("readReply(%.40q) = %q, want a failure for want of a newline", in, got)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add([]byte("6191 , 23 : USERID : UNIX : stjohns\r\n"))
	f.Add([]byte("1 , 2 : ERROR : NO-USER\r\n"))
	f.Add([]byte(":::\x00\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := readReply(strings.NewReader(string(in)))
		if len(got) > maxInfo || strings.ContainsAny(got, " \t\r\n\x00") || err != nil && got != "" {
			t.Errorf("readReply(%q) = %q, %v", in, got, err)
		}
	})
}

// listen serves one connection at a loopback address.
func listen(t *testing.T, addr string, serve func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(addr), 0).String())
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err == nil {
			serve(c)
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for local, remote := range map[string]string{"127.0.0.2": "127.0.0.1", "::1": "::1"} {
		t.Run(remote, func(t *testing.T) {
			asked := make(chan string, 1)
			port := listen(t, remote, func(c net.Conn) {
				b := make([]byte, 100)
				n, _ := c.Read(b)
				asked <- c.RemoteAddr().(*net.TCPAddr).IP.String() + " " + string(b[:n])
				io.WriteString(c, "4711 , 25 : USERID : UNIX : joe\r\n")
			})
			got, err := query(t.Context(), netip.AddrPortFrom(netip.MustParseAddr(local), 25),
				netip.AddrPortFrom(netip.MustParseAddr(remote), 4711), port)
			if err != nil || got != "joe" {
				t.Fatalf("query = %q, %v", got, err)
			}
			if got, want := <-asked, local+" 4711 , 25\r\n"; got != want {
				t.Errorf("the server was asked %q, want %q", got, want)
			}
		})
	}
}

func TestQueryFails(t *testing.T) {
	t.Parallel()
	self := netip.MustParseAddrPort("127.0.0.1:25")
	closed := listen(t, "127.0.0.1", func(net.Conn) {})
	if _, err := query(t.Context(), self, self, closed); err == nil {
		t.Error("no error for a connection closed at once")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().(*net.TCPAddr).AddrPort().Port()
	l.Close()
	if _, err := query(t.Context(), self, self, free); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v, want connection refused", err)
	}
	if _, err := query(t.Context(), netip.MustParseAddrPort("192.0.2.1:25"), self, free); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("error %v, want address not available", err)
	}

	// A server that goes on sending blanks is no reason to wait for ever.
	endless := listen(t, "127.0.0.1", func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, strings.Repeat(" ", 1000)); err != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := query(ctx, self, self, endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline's", err)
	}
}
