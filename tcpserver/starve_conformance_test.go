//go:build conformance

package tcpserver_test

import (
	"os/exec"
	"testing"

	"ucspi-go/internal/testprog"
)

// The C program spins without descriptors, and goes on when it has some.
func TestConformanceNoDescriptors(t *testing.T) {
	s := startCommand(t, exec.Command(testprog.Peer(t, "/usr/bin/tcpserver"), "-1", "-vRHl0", "-c3", "127.0.0.1", "0", "cat"))
	busy, got := starve(t, s)
	if busy < 0.1 {
		t.Errorf("C is busy for %.0f %% of the time: the difference is gone", 100*busy)
	}
	if got != "starved" {
		t.Errorf("got %q", got)
	}
	stop(t, s)
}
