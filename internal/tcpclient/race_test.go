package tcpclient

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/testprog"
)

// answer makes a server at a port of an address, if nobody has that.
func answer(t *testing.T, address string, port uint16) (ok bool) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(int(port))))
	if err == nil {
		t.Cleanup(func() { l.Close() })
	}
	return err == nil
}

// With addresses of both families nobody waits for one of them to fail.
func TestRace(t *testing.T) {
	t.Parallel()
	testprog.NeedIPv6(t)
	const four, six, late4 = "127.0.0.1", "::1", "127.0.0.8"
	for _, tt := range []struct {
		name    string
		times   [2]uint32
		addrs   string
		answers string // who has a server; the port of ::1 is full otherwise
		refuses bool   // ::1 refuses
		want    string
		atLeast time.Duration
		lines   string
	}{
		{"the first answers", [2]uint32{3600, 0}, "127.0.0.1 ::1", four, false, four, 0, ""},
		{"the first is late", [2]uint32{3600, 0}, "::1 127.0.0.1", four, false, four, headStart, ""},
		{"the first refuses", [2]uint32{3600, 0}, "::1 127.0.0.1", four, true, four, 0, "::1 connection refused"},
		{"both are late", [2]uint32{0, 0}, "::1 127.0.0.8", "", false, "", 0, "::1 timed out,127.0.0.8 timed out"},
		{"both are late twice", [2]uint32{0, 1}, "::1 127.0.0.8", "", false, "", time.Second, "::1 timed out,127.0.0.8 timed out"},
		{"no socket", [2]uint32{3600, 0}, "fe80::1 127.0.0.1", four, false, four, 0, "fe80::1 invalid argument"},
		{"all fail", [2]uint32{3600, 0}, "::1 127.0.0.9", "", true, "", 0, "::1 connection refused,127.0.0.9 connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var port uint16
			for ok := false; !ok; ok = tt.answers == "" || answer(t, tt.answers, port) {
				if tt.refuses {
					port = refuse6(t)
				} else {
					port = fill(t, six, 0)
				}
			}
			var addrs []netip.Addr
			for a := range strings.FieldsSeq(tt.addrs) {
				addrs = append(addrs, netip.MustParseAddr(a))
				if a == late4 {
					fill(t, late4, port)
				}
			}
			var stderr strings.Builder
			o := defaults()
			o.times, o.port = tt.times, port
			start := time.Now()
			fd, err := o.connect(&prog.Env{Stderr: &stderr}, addrs)
			took, got := time.Since(start), ""
			if err == nil {
				c, err := endsOf(fd)
				if err != nil {
					t.Fatal(err)
				}
				got = c.remote.Addr().String()
				syscall.Close(fd)
			}
			if got != tt.want || took < tt.atLeast {
				t.Errorf("connected to %q, %v, after %v; want %q, not before %v", got, err, took, tt.want, tt.atLeast)
			}
			want := ""
			for line := range strings.SplitSeq(tt.lines, ",") {
				if who, why, ok := strings.Cut(line, " "); ok {
					want += "tcpclient: unable to connect to " + at(netip.MustParseAddr(who), port) + ": " + why + "\n"
				}
			}
			if stderr.String() != want {
				t.Errorf("lines %q, want %q", stderr.String(), want)
			}
		})
	}
}

// refuse6 returns a port of ::1 that refuses connections.
func refuse6(t *testing.T) uint16 {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, socket.Sockaddr(netip.MustParseAddrPort("[::1]:0"))); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	local, err := socket.AddrPort(sa)
	if err != nil {
		t.Fatal(err)
	}
	return local.Port()
}

// A local port can be used once at a time.
func TestMixed(t *testing.T) {
	t.Parallel()
	four, six := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	o := defaults()
	for _, tt := range []struct {
		addrs []netip.Addr
		want  bool
	}{{[]netip.Addr{four, four}, false}, {[]netip.Addr{six, six}, false}, {[]netip.Addr{four, six}, true}, {nil, false}} {
		if got := o.mixed(tt.addrs); got != tt.want {
			t.Errorf("mixed(%v) = %t", tt.addrs, got)
		}
	}
	o.local = netip.AddrPortFrom(netip.Addr{}, 1)
	if o.mixed([]netip.Addr{four, six}) {
		t.Error("there is a race for a local port")
	}
}
