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
	// On a busy machine it wants more of a processor than it gets.
	busy, willing, got := starve(t, s)
	if willing < 0.8 {
		t.Errorf("C is busy for %.0f %% of the time, and wants %.0f %%: the difference is gone", 100*busy, 100*willing)
	}
	if got != "starved" {
		t.Errorf("got %q", got)
	}
	stop(t, s)
}
