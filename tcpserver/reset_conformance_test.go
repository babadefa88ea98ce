//go:build conformance

package tcpserver_test

import (
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// What TestResets wants is what the C program does.
func TestConformanceResets(t *testing.T) {
	t.Parallel()
	server := testprog.Peer(t, "/usr/bin/tcpserver")
	for _, r := range resets {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			want := logDown + strings.Repeat(r.log, resetPlays)
			if got := r.serverLog(t, server); got != want {
				t.Errorf("log:\n%swant:\n%s", got, want)
			}
		})
	}
}
