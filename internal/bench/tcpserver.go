package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func (b *bench) tcpserver() error {
	c := b.peer("tcpserver")
	child := b.compile("child", "-static")
	if c == "" || child == "" {
		return nil
	}
	rules := b.file("rules")
	if err := writeRules(rules, 1000); err != nil {
		return err
	}
	in, err := os.Open(rules)
	if err != nil {
		return err
	}
	defer in.Close()
	compile := exec.Command(b.bin+"/tcprules", b.file("x.cdb"), b.file("x.tmp"))
	compile.Stdin = in
	if out, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("tcprules: %s", out)
	}
	for _, sc := range []struct {
		label         string
		clients, conn int
		options       []string
	}{
		{"plain, 20 clients", 20, 1000, []string{"-c500"}},
		{"rules, 20 clients", 20, 1000, []string{"-c500", "-x", b.file("x.cdb")}},
		{"one client", 1, 400, []string{"-c500"}},
		{"200 clients", 200, 1200, []string{"-c500"}},
		{"200 clients, limit 40", 200, 1200, []string{"-c40"}},
	} {
		one := func(exe string) func() (sample, error) {
			return func() (sample, error) {
				argv := append([]string{exe, "-1", "-H", "-R", "-l0", "-b1024"}, sc.options...)
				return load(sc.clients, sc.conn, append(argv, "127.0.0.1", "0", child))
			}
		}
		err := b.compare("tcpserver "+sc.label, b.runs(9), contestant{"ours", one(b.bin + "/tcpserver")}, contestant{"ucspi-tcp", one(c)})
		if err != nil {
			return err
		}
	}
	return nil
}

// load starts a server and makes connections to it from so many clients at a
// time, each read to its end. Wall and cpu are per connection; cpu is that of
// the server and its children, from the kernel's 10 ms ticks.
func load(clients, connections int, argv []string) (sample, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return sample{}, err
	}
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return sample{}, fmt.Errorf("no port: %w", err)
	}
	addr := "127.0.0.1:" + strings.TrimSpace(port)
	if err := connect(addr); err != nil { // the first one pays for warming up
		return sample{}, err
	}
	before, start := ticks(cmd.Process.Pid), time.Now()
	times := make([]time.Duration, connections)
	errs := make([]error, clients)
	var wg sync.WaitGroup
	for k := range clients {
		wg.Go(func() {
			for i := k; i < connections && errs[k] == nil; i += clients {
				began := time.Now()
				errs[k] = connect(addr)
				times[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	wall := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return sample{}, err
		}
	}
	slices.Sort(times)
	return sample{
		wall: wall / time.Duration(connections),
		cpu:  (ticks(cmd.Process.Pid) - before) / time.Duration(connections),
		peak: status(cmd.Process.Pid, "VmHWM:"),
		p99:  times[connections*99/100],
	}, nil
}

func connect(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	n, err := io.Copy(io.Discard, c)
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// ticks returns the cpu time of a process and of its children that ended.
func ticks(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	var sum int64
	for _, i := range []int{11, 12, 13, 14} { // utime stime cutime cstime
		n, _ := strconv.ParseInt(f[i], 10, 64)
		sum += n
	}
	return time.Duration(sum) * 10 * time.Millisecond
}
