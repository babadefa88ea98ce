package tcpserver_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"ucspi-go/internal/testprog"
)

// load makes connections to a port as fast as some clients can, until stop is
// called, which returns how many there were. Each must be served.
func load(t *testing.T, port string) (stop func() int) {
	t.Helper()
	const atATime = 10
	var count atomic.Int64
	end := make(chan struct{})
	failed := make(chan error, atATime)
	for range atATime {
		go func() {
			for {
				select {
				case <-end:
					failed <- nil
					return
				default:
				}
				got, err := testprog.Fetch(port, "")
				if err == nil && got != "hello\n" {
					err = fmt.Errorf("served %q", got)
				}
				if err != nil {
					failed <- err
					return
				}
				count.Add(1)
			}
		}()
	}
	return func() int {
		t.Helper()
		close(end)
		for range atATime {
			if err := <-failed; err != nil {
				t.Errorf("after %d connections: %v", count.Load(), err)
			}
		}
		return int(count.Load())
	}
}

// served makes n connections.
func served(t *testing.T, port string, n int) {
	t.Helper()
	for range n {
		if got, err := testprog.Fetch(port, ""); err != nil || got != "hello\n" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// A server that has the socket from somebody else is replaced by another one,
// again and again, under load: SIGTERM to the old when the new is ready. Nobody
// is refused, and nobody who was accepted is dropped.
func TestReplaceServer(t *testing.T) {
	t.Parallel()
	f, port := listener(t)
	begin := func() *testprog.Server {
		cmd := command(t, "-1", "-RHl0", "-W", "socket=3", "0", "0", "echo", "hello")
		cmd.ExtraFiles = []*os.File{f}
		return startCommand(t, cmd) // it is ready: -1 says so
	}
	s := begin()
	stopLoad := load(t, port)
	for range 5 {
		served(t, port, 100)
		next := begin()
		if log := stop(t, s); log != "" {
			t.Errorf("log %q", log)
		}
		s = next
	}
	served(t, port, 100)
	n := stopLoad()
	t.Logf("%d connections besides", n)
	stop(t, s)
}
