package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// whole runs a command burst times, one after the other, with files as its
// descriptors 0 and 1 ("" for /dev/null), and returns the mean cost of one.
func whole(burst int, stdin, stdout string, argv ...string) (sample, error) {
	var total sample
	for range burst {
		s, err := once(stdin, stdout, argv)
		if err != nil {
			return sample{}, err
		}
		total.wall += s.wall
		total.cpu += s.cpu
		total.peak = max(total.peak, s.peak)
	}
	total.wall /= time.Duration(burst)
	total.cpu /= time.Duration(burst)
	return total, nil
}

func once(stdin, stdout string, argv []string) (sample, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	if stdin != "" {
		in, err := os.Open(stdin)
		if err != nil {
			return sample{}, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	if stdout != "" {
		// Descriptor 1 of a queue program is read: the envelope.
		f, err := os.Open(stdout)
		if err != nil {
			return sample{}, err
		}
		defer f.Close()
		cmd.Stdout = f
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	done := make(chan struct{})
	peak := make(chan int64)
	go watchPeak(cmd.Process.Pid, done, peak)
	err := cmd.Wait()
	wall := time.Since(start)
	close(done)
	if err != nil {
		<-peak
		return sample{}, fmt.Errorf("%s: %w", argv[0], err)
	}
	state := cmd.ProcessState
	return sample{wall: wall, cpu: state.UserTime() + state.SystemTime(), peak: <-peak}, nil
}

// watchPeak samples a process's own peak. The figure that wait4 gives is of
// no use: it begins with the size of the process that forked.
func watchPeak(pid int, done <-chan struct{}, peak chan<- int64) {
	var most int64
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			peak <- most
			return
		case <-tick.C:
			most = max(most, status(pid, "VmHWM:"))
		}
	}
}

// status returns a figure of /proc/PID/status in KiB, 0 when there is none.
func status(pid int, name string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}
