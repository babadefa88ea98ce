package tcpclient

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/prog"
)

func TestRoundsOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		times [2]uint32
		n     int
		want  []uint32
	}{
		{[2]uint32{2, 58}, 1, []uint32{60}},
		{[2]uint32{2, 58}, 2, []uint32{2, 58}},
		{[2]uint32{2, 0}, 2, []uint32{2}},
		{[2]uint32{0, 3}, 2, []uint32{0, 3}},
		{[2]uint32{1<<32 - 1, 2}, 1, []uint32{1}}, // as C's unsigned int
	} {
		o := options{times: tt.times}
		if got := o.rounds(tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("%v for %d addresses: rounds of %v, want %v", tt.times, tt.n, got, tt.want)
		}
	}
}

// Addresses that do not answer have their second turn after the others, and
// only then a line; with one round, or one address, there is one turn.
func TestRounds(t *testing.T) {
	t.Parallel()
	const late, refuses = "127.0.0.8", "127.0.0.9"
	port := fill(t, late, 0)
	for _, tt := range []struct {
		name    string
		times   [2]uint32
		addrs   []string
		atLeast time.Duration
		lines   string
	}{
		{"one address", [2]uint32{0, 1}, []string{late}, time.Second, "late timed out"},
		{"two rounds", [2]uint32{0, 1}, []string{late, refuses}, time.Second, "refuses connection refused,late timed out"},
		{"one round", [2]uint32{0, 0}, []string{late, refuses}, 0, "late timed out,refuses connection refused"},
		{"nobody late", [2]uint32{0, 1}, []string{refuses, refuses}, 0, "refuses connection refused,refuses connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stderr strings.Builder
			o := defaults()
			o.times, o.port = tt.times, port
			var addrs []netip.Addr
			for _, a := range tt.addrs {
				addrs = append(addrs, netip.MustParseAddr(a))
			}
			start := time.Now()
			fd, err := o.connect(&prog.Env{Stderr: &stderr}, addrs)
			if e, ok := err.(*prog.Error); !ok || e.Code != 111 || e.Severity != "" {
				t.Fatalf("connect = %d, %v", fd, err)
			}
			if took := time.Since(start); took < tt.atLeast {
				t.Errorf("took %v", took)
			}
			want := ""
			for line := range strings.SplitSeq(tt.lines, ",") {
				who, why, _ := strings.Cut(line, " ")
				host := refuses
				if who == "late" {
					host = late
				}
				want += "tcpclient: unable to connect to " + at(netip.MustParseAddr(host), port) + ": " + why + "\n"
			}
			if stderr.String() != want {
				t.Errorf("lines %q, want %q", stderr.String(), want)
			}
		})
	}
}

// A socket that is in use ends the attempts, whatever addresses are left.
func TestBindFails(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	used := l.Addr().(*net.TCPAddr).AddrPort()
	var stderr strings.Builder
	o := defaults()
	o.local, o.port = used, used.Port()
	env := &prog.Env{Name: "tcpclient", Stderr: &stderr}
	_, err = o.connect(env, []netip.Addr{used.Addr(), used.Addr()})
	const want = "tcpclient: fatal: unable to bind socket: address already used\n"
	if code := prog.Report(env, err); code != 111 || stderr.String() != want {
		t.Errorf("exit %d, %q; want 111, %q", code, stderr.String(), want)
	}
}
