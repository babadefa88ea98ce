package tcpserver

import (
	"net/netip"
	"testing"
)

// A process may be reaped before its start has returned its pid, a pid may be
// given out again, and a start may fail: each connection is counted once.
func TestReapedEarly(t *testing.T) {
	t.Parallel()
	from := netip.MustParseAddrPort("192.0.2.1:1")
	client := blockOf(from.Addr(), 128)
	start := func(t *table) int {
		number, _, _ := t.start(client, nil)
		return number
	}
	for _, tt := range []struct {
		name    string
		steps   func(t *table)
		running uint64 // of two connections
		known   int    // children
	}{
		{"in order", func(t *table) { t.started(start(t), 7, from); t.reaped(7, 0) }, 1, 0},
		{"early", func(t *table) { n := start(t); t.reaped(7, 0); t.started(n, 7, from) }, 1, 0},
		{"both", func(t *table) {
			a, b := start(t), start(t)
			t.reaped(7, 0)
			t.started(b, 8, from)
			t.started(a, 7, from)
			t.reaped(8, 0)
		}, 0, 0},
		{"failed", func(t *table) { n := start(t); t.reaped(7, 0); t.startFailed(n); t.started(start(t), 7, from) }, 2, 1},
		{"failed, others starting", func(t *table) {
			a, b := start(t), start(t)
			t.reaped(7, 0)
			t.startFailed(b)
			t.started(start(t), 7, from) // the pid of the one that failed
			t.started(a, 8, from)
		}, 2, 2},
		{"a stranger", func(t *table) { t.started(start(t), 7, from); t.reaped(8, 0) }, 2, 1},
		{"a stranger, early", func(t *table) {
			a := start(t)
			t.reaped(8, 0)
			t.started(start(t), 8, from)
			t.reaped(8, 0)
			t.started(a, 7, from)
		}, 1, 1},
	} {
		table := newTable(&log{}, 40, 40)
		table.running = 2
		table.counts.keep(128, table.clients())
		tt.steps(table)
		if table.running != tt.running || len(table.children) != tt.known || len(table.starting) != 0 || len(table.early) != 0 {
			t.Errorf("%s: %d running, %d children, %d starting, %d early; want %d, %d, 0, 0",
				tt.name, table.running, len(table.children), len(table.starting), len(table.early), tt.running, tt.known)
		}
		if n := table.counts.n[client]; n != len(table.children) {
			t.Errorf("%s: %d connections of the client counted, want %d", tt.name, n, len(table.children))
		}
	}
}
