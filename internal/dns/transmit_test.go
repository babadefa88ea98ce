package dns_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/dns"
)

// A reply is what a raw server makes of a query: packets to send from its own
// address and from another one.
type reply func(q []byte) (own, other [][]byte)

// raw starts a UDP server whose packets the test makes, and returns its
// address. The TCP port of that number is served too when serve is not nil.
func raw(t *testing.T, reply reply, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	udp, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { udp.Close() })
	stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stranger.Close() })
	go func() {
		buf := make([]byte, 1000)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			own, other := reply(buf[:n])
			for _, p := range other {
				stranger.WriteTo(p, from)
			}
			for _, p := range own {
				udp.WriteTo(p, from)
			}
		}
	}()
	if serve == nil {
		return l.Addr().String()
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

// answer returns the response to q that holds one A record.
func answer(q []byte, ip string) []byte {
	p := slices.Clone(q)
	p[2] |= 0x80
	p[7] = 1
	p = append(p, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(p, netip.MustParseAddr(ip).AsSlice()...)
}

func with(p []byte, change func(p []byte)) []byte {
	p = slices.Clone(p)
	change(p)
	return p
}

// Only what the server that was asked says about what it was asked counts.
func TestStrayPacketsAreIgnored(t *testing.T) {
	addr := raw(t, func(q []byte) (own, other [][]byte) {
		lie := answer(q, "192.0.2.66")
		return [][]byte{
			lie[:11],
			lie[:20],
			with(lie, func(p []byte) { p[0] ^= 1 }),
			with(lie, func(p []byte) { p[2] &^= 0x80 }),
			with(lie, func(p []byte) { p[5] = 2 }),
			with(lie, func(p []byte) { p[13] ^= 1 }),
			with(lie, func(p []byte) { p[len(q)-3] = 16 }),
			with(lie, func(p []byte) { p[len(q)-1] = 3 }),
			append(with(lie, func([]byte) {}), make([]byte, 600)...),
			answer(with(q, func(p []byte) { p[13] -= 'a' - 'A' }), "192.0.2.1"),
			answer(q, "192.0.2.67"),
		}, [][]byte{lie}
	}, nil)
	r := resolver(addr)
	r.Rounds = rounds(patience)
	got, err := r.LookupA(t.Context(), "host.example")
	if err != nil || !slices.Equal(got, addrs("192.0.2.1")) {
		t.Errorf("LookupA = %v, %v", got, err)
	}
}

func TestMalformedAnswer(t *testing.T) {
	addr := raw(t, func(q []byte) (own, other [][]byte) {
		return [][]byte{with(answer(q, "192.0.2.1"), func(p []byte) { p[7] = 2 })}, nil
	}, nil)
	_, err := resolver(addr).LookupA(t.Context(), "host.example")
	var e *dns.Error
	if !errors.As(err, &e) || !e.Temporary() || !errors.Is(err, syscall.EPROTO) {
		t.Errorf("error %v, want a temporary protocol error", err)
	}
}

func TestRounds(t *testing.T) {
	all := rounds(patience, patience, patience)
	for _, tt := range []struct {
		name    string
		zone    string
		rounds  []time.Duration
		want    string // address, or an error
		queries int
		least   time.Duration // milliseconds that it takes
	}{
		{"first", "h A 192.0.2.1", all, "192.0.2.1", 1, 0},
		{"twice", "h A 192.0.2.1\nh TWICE", all, "192.0.2.1", 1, 0},
		{"wrong id", "h A 192.0.2.1\nh WRONGID", all, "192.0.2.1", 1, 0},
		{"second round", "h A 192.0.2.1\nh TIMEOUT 1", rounds(20, patience, patience), "192.0.2.1", 2, 20},
		{"third round", "h A 192.0.2.1\nh TIMEOUT 2", rounds(20, 60, patience), "192.0.2.1", 3, 80},
		{"never", "h TIMEOUT", rounds(20, 60, 100), "timed out", 3, 180},
		{"failed once", "h A 192.0.2.1\nh SERVFAIL 1", all, "192.0.2.1", 2, 0},
		{"failed twice", "h A 192.0.2.1\nh SERVFAIL 2", rounds(patience, 60, patience), "192.0.2.1", 3, 60},
		{"failed always", "h SERVFAIL", rounds(patience, 60, patience), "temporary failure", 3, 60},
		{"refused always", "h REFUSED", rounds(patience, 60, patience), "temporary failure", 3, 60},
		{"format error", "h FORMERR", rounds(patience, 60, patience), "temporary failure", 3, 60},
		{"no such name", "h NXDOMAIN", all, "", 1, 0},
		{"no such type", "h TXT x", all, "", 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, s := start(t, tt.zone)
			r.Rounds = tt.rounds
			began := time.Now()
			outcome(t, r, tt.want)
			if got := time.Since(began); got < tt.least*time.Millisecond {
				t.Errorf("over after %v, want %d ms or more", got, tt.least)
			}
			if got := s.Queries(); len(got) != tt.queries {
				t.Errorf("queries %q, want %d", got, tt.queries)
			}
		})
	}
}

// outcome compares the address of the name h, or the error, with want.
func outcome(t *testing.T, r *dns.Resolver, want string) {
	t.Helper()
	if got := lookup(t, r); got != want {
		t.Errorf("LookupA = %q, want %q", got, want)
	}
}

// lookup returns the address of the name h, or the error.
func lookup(t *testing.T, r *dns.Resolver) string {
	t.Helper()
	got, err := r.LookupA(t.Context(), "h")
	switch {
	case err != nil:
		return strings.TrimPrefix(err.Error(), "dns: h: ")
	case len(got) > 0:
		return got[0].String()
	}
	return ""
}

// inTime wants try to find nothing wrong. The time of a server that does not
// answer is that of one that does, which needs more on a busy machine: try is
// given more and more.
func inTime(t *testing.T, try func(step time.Duration) (wrong string)) {
	t.Helper()
	wrong := ""
	for step := 50 * time.Millisecond; step < 10*time.Second; step *= 3 {
		if wrong = try(step); wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

func TestServersInTurn(t *testing.T) {
	t.Parallel()
	inTime(t, func(step time.Duration) string {
		_, silent := start(t, "* TIMEOUT")
		_, failing := start(t, "* SERVFAIL")
		_, good := start(t, "h A 192.0.2.1")
		r := resolver(silent.Addr() + " " + failing.Addr() + "," + good.Addr())
		r.Rounds = append([]time.Duration{step}, rounds(patience)...)
		got := lookup(t, r)
		if a, b, c := len(silent.Queries()), len(failing.Queries()), len(good.Queries()); got != "192.0.2.1" || a != 1 || b != 1 || c != 1 {
			return fmt.Sprintf("%q after %d, %d and %d queries, want one each", got, a, b, c)
		}
		return ""
	})

	// In the second round nobody's refusal is believed until it is over.
	inTime(t, func(step time.Duration) string {
		_, failing := start(t, "* SERVFAIL")
		_, late := start(t, "h A 192.0.2.1\nh TIMEOUT 1")
		r := resolver(failing.Addr() + "," + late.Addr())
		r.Rounds = append([]time.Duration{step, step}, rounds(patience)...)
		began := time.Now()
		got := lookup(t, r)
		if a, b := len(failing.Queries()), len(late.Queries()); got != "192.0.2.1" || a != 2 || b != 2 {
			return fmt.Sprintf("%q after %d and %d queries, want two each", got, a, b)
		}
		if took := time.Since(began); took < 2*step {
			return fmt.Sprintf("over after %v, want both rounds of %v waited for", took, step)
		}
		return ""
	})
}

// closedPort returns an address of loopback where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	began := time.Now()
	outcome(t, resolver(closedPort(t)), "connection refused")
	if got := time.Since(began); got < 60*time.Millisecond {
		t.Errorf("over after %v, want the second round waited for", got)
	}
	outcome(t, resolver("0.0.0.0"), "input/output error")
	_, good := start(t, "h A 192.0.2.1")
	outcome(t, resolver(closedPort(t)+" "+good.Addr()), "192.0.2.1")
}

func TestIPv6Server(t *testing.T) {
	c, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	defer c.Close()
	go func() {
		buf := make([]byte, 1000)
		n, from, err := c.ReadFrom(buf)
		if err == nil {
			c.WriteTo(answer(buf[:n], "192.0.2.1"), from)
		}
	}()
	outcome(t, resolver(c.LocalAddr().String()), "192.0.2.1")
}

func TestTCP(t *testing.T) {
	t.Parallel()
	r, s := start(t, "h A 192.0.2.1\nh TRUNCATE\n")
	outcome(t, r, "192.0.2.1")
	if got, want := s.Queries(), []string{"udp 1 h", "tcp 1 h"}; !slices.Equal(got, want) {
		t.Errorf("queries %q, want %q", got, want)
	}

	cut := func(q []byte) (own, other [][]byte) {
		return [][]byte{with(q, func(p []byte) { p[2] |= 0x82; p[3] = 2 })}, nil
	}
	for name, tt := range map[string]struct {
		serve func(c net.Conn, q []byte)
		want  string
	}{
		"end":        {func(c net.Conn, q []byte) {}, "input/output error"},
		"cut":        {func(c net.Conn, q []byte) { c.Write([]byte{1, 0, 9, 9}) }, "input/output error"},
		"empty":      {func(c net.Conn, q []byte) { c.Write([]byte{0, 0}) }, "protocol error"},
		"wrong id":   {func(c net.Conn, q []byte) { write(c, with(answer(q, "1.1.1.1"), func(p []byte) { p[0] ^= 1 })) }, "protocol error"},
		"truncated":  {func(c net.Conn, q []byte) { write(c, with(q, func(p []byte) { p[2] |= 0x82 })) }, "protocol error"},
		"failed":     {func(c net.Conn, q []byte) { write(c, with(q, func(p []byte) { p[2] |= 0x80; p[3] = 2 })) }, "temporary failure"},
		"one byte":   {func(c net.Conn, q []byte) { drip(c, answer(q, "192.0.2.1")) }, "192.0.2.1"},
		"silent":     {func(c net.Conn, q []byte) { io.Copy(io.Discard, c) }, "timed out"},
		"never ends": {func(c net.Conn, q []byte) { c.Write([]byte{1, 0, 9, 9}); io.Copy(io.Discard, c) }, "timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := raw(t, cut, func(c net.Conn) {
				var size [2]byte
				io.ReadFull(c, size[:])
				q := make([]byte, binary.BigEndian.Uint16(size[:]))
				io.ReadFull(c, q)
				tt.serve(c, q)
			})
			_, good := start(t, "h A 192.0.2.1")
			one, two := resolver(addr), resolver(addr+" "+good.Addr())
			// From the next server comes what the first did not give.
			if tt.want == "timed out" {
				one.TCPStep = 100 * time.Millisecond
				inTime(t, func(step time.Duration) (wrong string) {
					two.TCPStep = step
					if got := lookup(t, two); got != "192.0.2.1" {
						wrong = fmt.Sprintf("LookupA = %q from the second server", got)
					}
					return wrong
				})
			} else {
				outcome(t, two, "192.0.2.1")
			}
			outcome(t, one, tt.want)
		})
	}
}

func write(c net.Conn, p []byte) {
	c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
}

func drip(c net.Conn, p []byte) {
	for _, b := range append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...) {
		c.Write([]byte{b})
	}
}

func TestLookupCanceled(t *testing.T) {
	r, s := start(t, "* TIMEOUT\n")
	r.Rounds = rounds(3600 * 1000)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := r.LookupA(ctx, "host.example")
		done <- err
	}()
	for len(s.Queries()) == 0 {
		select {
		case err := <-done:
			t.Fatal(err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	r.Budget = 10 * time.Millisecond
	if _, err := r.LookupA(t.Context(), "host.example"); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("error %v, want the budget to end the lookup", err)
	}
}
