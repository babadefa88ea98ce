package tcpserver

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// makePoller has the Go runtime make its poller, which it needs at the latest
// to collect garbage: it dies when it may not have the two descriptors, so it
// must not want them for the first time when connections have used up all.
// Where there are too few descriptors to serve anybody it is an error.
func makePoller() error {
	// The poller 2, listening socket, connection, rules and new rules, lookup 2.
	if err := descriptorsFree(8); err != nil {
		return err
	}
	time.AfterFunc(time.Hour, func() {}).Stop()
	return nil
}

// descriptorsFree returns why there are fewer than n.
func descriptorsFree(n int) error {
	for range n {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
	}
	return nil
}

// makeThreads has the Go runtime make the threads that the server will need.
// The runtime keeps threads and makes another when all are in system calls,
// but it dies when it may not: under a limit of processes that its programs
// have used up, the server must not want a thread for the first time.
func makeThreads() {
	// In accept, in wait4, waiting for signals, and running. The monitor and
	// the first thread are there.
	n := accepting() + 2 + runtime.GOMAXPROCS(0)
	var p [2]int
	if syscall.Pipe2(p[:], syscall.O_CLOEXEC) != nil {
		return
	}
	var started, ended sync.WaitGroup
	started.Add(n)
	for range n {
		ended.Go(func() {
			started.Done()
			_, _ = syscall.Read(p[0], make([]byte, 1)) // keeps its thread until the end of file
		})
	}
	started.Wait() // the last can only have started when the others had a thread each
	syscall.Close(p[1])
	ended.Wait()
	syscall.Close(p[0])
}
