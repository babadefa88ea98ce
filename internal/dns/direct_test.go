package dns_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/socket"
)

// A lookup without the runtime's poller ends as any other.
func TestDirect(t *testing.T) {
	t.Parallel()
	ctx := socket.Direct(t.Context())
	r, s := start(t, "host.example A 192.0.2.1\nlong.example A 192.0.2.2\nlong.example TRUNCATE\nfails.example SERVFAIL\nlate.example TIMEOUT\n")
	r.Rounds = rounds(patience)
	for name, want := range map[string]string{"host.example": "192.0.2.1", "long.example": "192.0.2.2"} {
		if got, err := r.LookupA(ctx, name); err != nil || !slices.Equal(got, addrs(want)) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got := s.Queries(); len(got) != 3 {
		t.Errorf("queries %q, want one over TCP", got)
	}
	for name, want := range map[string]error{"none.example": nil, "fails.example": syscall.EAGAIN} {
		if got, err := r.LookupA(ctx, name); len(got) > 0 || !errors.Is(err, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	r.Budget = 10 * time.Millisecond
	if _, err := r.LookupA(ctx, "late.example"); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("late.example: %v", err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	r.Budget, r.Rounds = time.Hour, rounds(10, 3600*1000)
	if _, err := r.LookupA(ended, "late.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v, want the end after the first try", err)
	}
}

// The budget bounds a lookup over TCP too.
func TestBudgetOverTCP(t *testing.T) {
	t.Parallel()
	addr := raw(t, func(q []byte) (own, other [][]byte) {
		return [][]byte{with(q, func(p []byte) { p[2] |= 0x82 })}, nil
	}, func(c net.Conn) { c.Read(make([]byte, 1000)); c.Read(make([]byte, 1000)) })
	for _, ctx := range []context.Context{t.Context(), socket.Direct(t.Context())} {
		r := resolver(addr)
		r.Rounds, r.TCPStep, r.Budget = rounds(patience), time.Hour, 100*time.Millisecond
		if _, err := r.LookupA(ctx, "host.example"); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("%v", err)
		}
	}
}
