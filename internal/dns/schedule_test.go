package dns

import (
	"net"
	"slices"
	"testing"
	"time"
)

// The schedule is C's; the bound on the whole is ours.
func TestSchedule(t *testing.T) {
	r := New(func(string) (string, bool) { return "", false })
	if want := []time.Duration{3 * time.Second, 11 * time.Second, 45 * time.Second}; !slices.Equal(r.Rounds, want) {
		t.Errorf("rounds %v, want %v", r.Rounds, want)
	}
	if r.TCPStep != 10*time.Second || r.Budget != 60*time.Second {
		t.Errorf("%v a step over TCP, %v in all", r.TCPStep, r.Budget)
	}
}

// Nobody who sees some queries can tell the id or the port of the next, as
// those of C's tcpserver: they do not repeat from one resolver to another, bar a
// coincidence or two, and go on by no fixed step.
func TestQueriesAreUnpredictable(t *testing.T) {
	t.Parallel()
	const n = 30
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	type mark struct{ id, port int }
	seen := make(chan mark, 2*n)
	go func() {
		p := make([]byte, 512)
		for {
			size, from, err := conn.ReadFrom(p)
			if err != nil {
				return
			}
			seen <- mark{int(p[0])<<8 | int(p[1]), from.(*net.UDPAddr).Port}
			p[2], p[3] = p[2]|0x80, 3
			conn.WriteTo(p[:size], from)
		}
	}()
	ids, ports, steps := map[int]bool{}, map[int]bool{}, map[int]int{}
	for range 2 {
		r := New(func(string) (string, bool) { return conn.LocalAddr().String(), true })
		var last mark
		for range n {
			if _, err := r.LookupA(t.Context(), "host.example"); err != nil {
				t.Fatal(err)
			}
			m := <-seen
			ids[m.id], ports[m.port] = true, true
			steps[m.id-last.id]++
			last = m
		}
	}
	if len(ids) < 2*n-3 || len(ports) < 2*n*3/4 {
		t.Errorf("%d ids and %d ports in %d queries", len(ids), len(ports), 2*n)
	}
	for step, times := range steps {
		if times > 3 {
			t.Errorf("the id goes on by %d %d times", step, times)
		}
	}
}
