package qmailremote

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/socket"
)

// A file as C writes it: two addresses, the second with three timeouts.
func TestTcptoFormat(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tcpto")
	file := timeouts(name)
	addr := netip.MustParseAddr("192.0.2.7")
	now := time.Unix(0x65432100, 0)
	data := make([]byte, maxFile)
	copy(data, "\xc0\x00\x02\x01\x01\x00\x00\x00\x00\x20\x43\x65\x00\x00\x00\x00"+"\xc0\x00\x02\x07\x03\x00\x00\x00\xf0\x20\x43\x65")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if !file.isLeftAlone(addr, now) || file.isLeftAlone(netip.MustParseAddr("192.0.2.1"), now) || file.isLeftAlone(netip.MustParseAddr("192.0.2.2"), now) {
		t.Error("three timeouts, and neither one nor none, are reason to leave a host alone")
	}
	if early, late := now.Add(59*64*time.Second), now.Add(92*64*time.Second); !file.isLeftAlone(addr, early) || file.isLeftAlone(addr, late) {
		t.Error("a host is left alone for about an hour")
	}
	file.remember(addr, true, now.Add(119*time.Second))
	file.remember(netip.MustParseAddr("192.0.2.1"), true, now)
	file.remember(netip.MustParseAddr("192.0.2.9"), true, now)
	file.remember(netip.MustParseAddr("192.0.2.9"), true, now.Add(time.Second)) // too early to count
	file.remember(netip.MustParseAddr("2001:db8::1"), true, now)
	copy(data, "\xc0\x00\x02\x01\x02\x00\x00\x00\x00\x21\x43\x65\x00\x00\x00\x00"+"\xc0\x00\x02\x07\x04\x00\x00\x00\x77\x21\x43\x65\x00\x00\x00\x00"+
		"\xc0\x00\x02\x09\x01\x00\x00\x00\x00\x21\x43\x65")
	if got, err := os.ReadFile(name); err != nil || string(got) != string(data) {
		t.Errorf("%v, file\n%.48q want\n%.48q", err, got, data)
	}
	file.remember(addr, false, now)
	if file.isLeftAlone(addr, now) {
		t.Error("a connection was made")
	}
}

func TestTcptoFull(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tcpto")
	file := timeouts(name)
	host := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }
	if err := os.WriteFile(name, make([]byte, maxFile+7), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range maxFile/recordLen + 1 {
		file.remember(host(i), true, time.Unix(int64(1000-i%3), 0))
		file.remember(host(i), true, time.Unix(2000, 0))
	}
	for range 20 {
		file.remember(host(1), true, time.Now())
	}
	data, err := os.ReadFile(name)
	if err != nil || len(data) != maxFile+7 || strings.Trim(string(data[maxFile:]), "\x00") != "" {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if file.isLeftAlone(host(0), time.Unix(2000, 0)) || !file.isLeftAlone(host(2), time.Unix(2000, 0)) || !file.isLeftAlone(host(64), time.Unix(2000, 0)) {
		t.Error("the new address has not taken the place of the oldest")
	}
	if data[recordLen+4] > maxCount {
		t.Errorf("count %d", data[recordLen+4])
	}
}

// Neither a missing file nor one cut short is trouble.
func TestTcptoOdd(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr("192.0.2.7")
	for _, text := range []string{"", "x", "\xc0\x00\x02\x07\x09\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00"} {
		name := filepath.Join(t.TempDir(), "tcpto")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		timeouts(name).remember(addr, true, time.Now())
		if timeouts(name).isLeftAlone(addr, time.Now()) {
			t.Errorf("%q: left alone", text)
		}
		if got, err := os.ReadFile(name); string(got) != text || err != nil {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	missing := timeouts(filepath.Join(t.TempDir(), "no"))
	missing.remember(addr, true, time.Now())
	if missing.isLeftAlone(addr, time.Now()) {
		t.Error("left alone without a file")
	}
	if _, err := os.Stat(string(missing)); !os.IsNotExist(err) {
		t.Error("the file was made")
	}
}

// deaf returns the port of a server at 127.0.0.1 that takes no connections,
// nor refuses them: its backlog is full.
func deaf(t *testing.T) uint16 {
	t.Helper()
	l, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(l) })
	if err := syscall.Bind(l, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(l, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(l)
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(sa.(*syscall.SockaddrInet4).Port)
	for range 2 {
		conn, err := socket.Open(t.Context(), syscall.SOCK_STREAM, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(50 * time.Millisecond))
		conn.Connect() // the first is taken, and perhaps the second
	}
	return port
}

// A host that times out, after control/timeoutconnect, is remembered, and is
// not tried when it has done so twice.
func TestTimeoutConnect(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.write("control/smtproutes", ":127.0.0.1:"+strconv.Itoa(int(deaf(t))))
	s.write("control/timeoutconnect", "1\n")
	s.write("queue/lock/tcpto", strings.Repeat("\x00", maxFile))
	name := s.home + "/queue/lock/tcpto"
	send := func() (record string) {
		if got, want := s.run(s.env(strings.NewReader(letter), host, sender, rcpt)), string(errNoConnection)+"\\0"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data[:recordLen])
	}
	start := time.Now()
	if got := send(); time.Since(start) < time.Second || got[:8] != "\x7f\x00\x00\x01\x01\x00\x00\x00" {
		t.Errorf("gave up after %v, record %q", time.Since(start), got)
	}
	s.write("queue/lock/tcpto", strings.Repeat("\x00", maxFile))
	addr := netip.MustParseAddr("127.0.0.1")
	timeouts(name).remember(addr, true, start.Add(-2*apart*time.Second))
	timeouts(name).remember(addr, true, start.Add(-apart*time.Second))
	if got := send(); got[4] != 2 {
		t.Errorf("a host that is to be left alone was tried: record %q", got)
	}
}
