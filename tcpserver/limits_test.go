package tcpserver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ucspi-go/rules"
)

// settings makes variables of NAME=VALUE words.
func settings(words string) (vars []rules.Var) {
	for w := range strings.FieldsSeq(words) {
		name, value, _ := strings.Cut(w, "=")
		vars = append(vars, rules.Var{Name: name, Value: value})
	}
	return vars
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ client, vars, want string }{
		{"192.0.2.7", "", ""},
		{"192.0.2.7", "RELAYCLIENT= MAXCONI=3 maxconip=3 DIEMSG=421", ""},
		{"192.0.2.7", "MAXCONIP=3", "MAXCONIP:3 ::ffff:192.0.2.7/128 3"},
		{"192.0.2.7", "MAXCONNIP=3 MAXPERIP=4", "MAXCONNIP:3 ::ffff:192.0.2.7/128 3, MAXPERIP:4 ::ffff:192.0.2.7/128 4"},
		{"192.0.2.7", "MAXCONIP=0 MAXCONNIP=x MAXPERIP=0", "MAXCONIP:0 ::ffff:192.0.2.7/128 0, MAXCONNIP:x ::ffff:192.0.2.7/128 0"},
		{"192.0.2.7", "MAXCONIP=3x MAXPERIP=x", "MAXCONIP:3x ::ffff:192.0.2.7/128 3"},
		{"192.0.2.7", "MAXCONIP=3 MAXCONIP=5", "MAXCONIP:5 ::ffff:192.0.2.7/128 5"},
		{"192.0.2.7", "MAXPERIP=3 MAXPERIP=0", ""},
		{"192.0.2.7", "MAXCONNC=9", "MAXCONNC:9 ::ffff:192.0.2.0/120 9"},
		{"192.0.2.7", "LIMITPREFIX4=16 MAXCONNC=9 LIMITPREFIX6=48", "MAXCONNC:9 ::ffff:192.0.0.0/112 9"},
		{"192.0.2.7", "LIMITPREFIX4=99 MAXCONNC=9", "MAXCONNC:9 ::ffff:192.0.2.7/128 9"},
		{"192.0.2.7", "LIMITPREFIX4=0 MAXCONNC=9", "MAXCONNC:9 ::ffff:0.0.0.0/96 9"},
		{"::ffff:192.0.2.7", "MAXCONNC=9", "MAXCONNC:9 ::ffff:192.0.2.0/120 9"},
		{"2001:db8:1:2:3:4:5:6", "MAXCONIP=1 MAXCONNC=9", "MAXCONIP:1 2001:db8:1:2:3:4:5:6/128 1, MAXCONNC:9 2001:db8:1:2::/64 9"},
		{"2001:db8:1:2:3:4:5:6", "LIMITPREFIX6=44 LIMITPREFIX4=8 MAXCONNC=9", "MAXCONNC:9 2001:db8::/44 9"},
		{"fe80::1%eth0", "MAXCONIP=1", "MAXCONIP:1 fe80::1/128 1"},
		{"192.0.2.7", "MAXRATEIP=30", "MAXRATEIP:30 ::ffff:192.0.2.7/128 2s of 1m0s"},
		{"192.0.2.7", "MAXRATEC=5/10", "MAXRATEC:5/10 ::ffff:192.0.2.0/120 2s of 10s"},
		{"192.0.2.7", "MAXRATEIP=5/0 MAXRATEC=1/99999999999999999999", "MAXRATEIP:5/0 ::ffff:192.0.2.7/128 12s of 1m0s, MAXRATEC:1/99999999999999999999 ::ffff:192.0.2.0/120 24h0m0s of 24h0m0s"},
		{"192.0.2.7", "MAXRATEIP=18446744073709551615/1", "MAXRATEIP:18446744073709551615/1 ::ffff:192.0.2.7/128 1ns of 1s"},
	} {
		var got []string
		for _, l := range limits(netip.MustParseAddr(tt.client), settings(tt.vars)) {
			s := fmt.Sprintf("%s:%s %s/%d ", l.Name, l.Value, netip.AddrFrom16(l.block.addr), l.block.bits)
			if l.rate != (rate{}) {
				s += fmt.Sprint(l.rate.each, " of ", l.rate.burst)
			} else {
				s += fmt.Sprint(l.most)
			}
			got = append(got, s)
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("limits(%s, %s) =\n%s, want\n%s", tt.client, tt.vars, got, tt.want)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for vars, want := range map[string]string{"": "", "DIEMSG=": "", "DIEMSG=421": "421\r\n", "DIEMSG=a DIEMSG=b": "b\r\n"} {
		if got := message(settings(vars)); got != want {
			t.Errorf("message(%s) = %q, want %q", vars, got, want)
		}
	}
}

// Connections that came before anybody wanted a count are in it, started or
// not, and those that failed or ended are not.
func TestCountsFromTheStart(t *testing.T) {
	t.Parallel()
	table := newTable(&log{}, 40, 40)
	table.running = 40
	start := func(ip, vars string) (number int, over string) {
		client := netip.MustParseAddr(ip)
		number, _, limit := table.start(blockOf(client, 128), limits(client, settings(vars)))
		if limit != nil {
			over = " " + limit.Name + ":" + limit.Value
		}
		return number, over
	}
	table.children[99] = child{owner: inherited}
	for i, ip := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "198.51.100.1"} {
		n, _ := start(ip, "")
		table.started(n, 100+i, netip.AddrPort{})
	}
	waiting, _ := start("192.0.2.3", "")
	if len(table.counts.n) != 0 {
		t.Errorf("counts without a limit: %v", table.counts.n)
	}
	for _, step := range []struct {
		what           string
		do             func()
		ip, vars, over string
	}{
		{"the third of an address", nil, "192.0.2.1", "MAXCONIP=2", " MAXCONIP:2"},
		{"the fifth of a network", nil, "192.0.2.9", "MAXCONIP=1 MAXCONNC=4", " MAXCONNC:4"},
		{"another network", nil, "198.51.100.9", "MAXCONNC=2", ""},
		{"all of IPv4 and the inherited", nil, "203.0.113.1", "LIMITPREFIX4=0 MAXCONNC=6", " MAXCONNC:6"},
		{"after an end", func() { table.reaped(101, 0) }, "192.0.2.1", "MAXCONIP=2", ""},
		{"after a failure", func() { table.startFailed(waiting) }, "192.0.2.3", "MAXCONIP=1", ""},
		{"of an unknown prefix", nil, "192.0.2.0", "LIMITPREFIX4=30 MAXCONNC=4", " MAXCONNC:4"},
		{"refused use up nothing", nil, "192.0.2.0", "MAXCONIP=1 MAXRATEIP=1 LIMITPREFIX4=30 MAXCONNC=5", ""},
		{"nor with a rate", nil, "192.0.2.5", "MAXRATEIP=1/3600 MAXCONNC=0", " MAXCONNC:0"},
		{"the rate is still there", nil, "192.0.2.5", "MAXRATEIP=1/3600", ""},
		{"and now is not", nil, "192.0.2.5", "MAXRATEIP=1/3600 MAXCONIP=100", " MAXRATEIP:1/3600"},
	} {
		if step.do != nil {
			step.do()
		}
		if _, over := start(step.ip, step.vars); over != step.over {
			t.Errorf("%s: %s with %s is over %q, want %q", step.what, step.ip, step.vars, over, step.over)
		}
	}
}

// Under a storm no more than the limit are there at any time, and in the end
// nothing is left.
func TestCountsUnderStorm(t *testing.T) {
	t.Parallel()
	const most, networkMost, goroutines, turns = 3, 7, 16, 2000
	table := newTable(&log{}, 1000, 1000)
	table.running = goroutines * turns
	var pids atomic.Int64
	var at [4]atomic.Int64
	var all, served, refused atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range turns {
				i := rand.IntN(len(at))
				client := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
				bounds := limits(client, settings("MAXCONIP=3 MAXCONNC=7"))
				number, here, over := table.start(blockOf(client, 128), bounds)
				if over != nil {
					refused.Add(1)
					continue
				}
				if n, m := at[i].Add(1), all.Add(1); n > most || m > networkMost || here < 1 || here > most {
					t.Errorf("%d of the address and %d of the network are served, %d counted", n, m, here)
				}
				served.Add(1)
				runtime.Gosched()
				at[i].Add(-1)
				all.Add(-1)
				pid := int(pids.Add(1))
				switch rand.IntN(3) {
				case 0:
					table.startFailed(number)
				case 1: // reaped before its start has returned
					table.mu.Lock()
					table.reaped(pid, 0)
					table.mu.Unlock()
					table.started(number, pid, netip.AddrPort{})
				default:
					table.started(number, pid, netip.AddrPort{})
					table.update(func() { table.reaped(pid, syscall.WaitStatus(0)) })
				}
			}
		})
	}
	wg.Wait()
	if len(table.counts.n) != 0 || served.Load() == 0 || refused.Load() == 0 {
		t.Errorf("left: %v; %d served, %d refused", table.counts.n, served.Load(), refused.Load())
	}
}

// clocked returns rates whose clock stands still but for tick.
func clocked() (r *rates, tick func(time.Duration)) {
	now := time.Duration(0)
	return &rates{now: func() time.Duration { return now }}, func(d time.Duration) { now += d }
}

func TestRate(t *testing.T) {
	t.Parallel()
	r, tick := clocked()
	b, other := blockOf(netip.MustParseAddr("192.0.2.1"), 128), blockOf(netip.MustParseAddr("192.0.2.1"), 120)
	at := parseRate("3/30")
	for i, step := range []struct {
		wait  time.Duration
		block block
		want  bool
	}{
		{0, b, true}, {0, b, true}, {0, b, true}, {0, b, false},
		{0, other, true}, // a network is not its first address
		{9 * time.Second, b, false}, {time.Second, b, true}, {0, b, false},
		{20 * time.Second, b, true}, {0, b, true}, {0, b, false},
		{time.Hour, b, true}, {0, b, true}, {0, b, true}, {0, b, false},
	} {
		tick(step.wait)
		got := r.allows(step.block, at)
		if got {
			r.use(step.block, at)
		}
		if got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	if r.allows(blockOf(netip.MustParseAddr("192.0.2.9"), 128), parseRate("0")) {
		t.Error("a rate of 0 allows somebody")
	}
}

// A million clients take the memory of a few, and do not make the table forget
// one who is over his limit all the time.
func TestMillionClients(t *testing.T) {
	r, tick := clocked()
	at := parseRate("10/60")
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	presser := blockOf(netip.MustParseAddr("198.51.100.1"), 128)
	before := heap()
	let := 0
	const clients = 1_000_000
	for i := range clients {
		b := blockOf(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 128)
		if r.allows(b, at) {
			r.use(b, at)
		} else {
			t.Fatalf("client %d is refused", i)
		}
		if r.allows(presser, at) {
			r.use(presser, at)
			let++
		}
		tick(60 * time.Second / clients) // all within a minute
	}
	took := heap() - before
	t.Logf("%d clients: %d KiB", clients, took>>10)
	if took > 2200<<10 {
		t.Errorf("%d clients take %d KiB", clients, took>>10)
	}
	// 10 at once and 10 more in the minute.
	if let < 19 || let > 20 {
		t.Errorf("who presses is let in %d times in a minute, want 20", let)
	}
	runtime.KeepAlive(r)
}

func BenchmarkLimits(b *testing.B) {
	client := netip.MustParseAddr("192.0.2.1")
	for _, vars := range []string{"RELAYCLIENT= QMAILQUEUE=bin/qmail-dkim DKIMSIGN=x", "MAXCONIP=100 MAXCONNC=100 MAXRATEIP=1000000000/1"} {
		b.Run(vars, func(b *testing.B) {
			table := newTable(&log{}, 40, 40)
			v := settings(vars)
			b.ReportAllocs()
			for b.Loop() {
				number, _, _ := table.start(blockOf(client, 128), limits(client, v))
				table.startFailed(number)
			}
		})
	}
}
