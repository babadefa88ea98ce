//go:build conformance

package tcpserver_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/testprog"
)

// A supervisor is one from Debian: what runs a folder, and its commands for it.
type supervisor struct {
	name    string
	logger  string // the log's program
	run     []string
	hup     []string
	table   []string // nil: kill
	renew   []string // nil: kill
	restart []string
	ready   []string // ends well when the service is up, and ready if it can say so
	status  []string // says "up" or "run" and a pid, or "down"
	down    []string // ends when the service is down
	end     []string
}

var supervisors = []supervisor{
	{
		name: "daemontools", logger: "multilog",
		run: []string{"svscan", "."}, hup: []string{"svc", "-h", "service"}, restart: []string{"svc", "-t", "service"},
		status: []string{"svstat", "service"}, down: []string{"svc", "-d", "service"}, end: []string{"svc", "-dx", "service", "service/log"},
	},
	{
		name: "runit", logger: "svlogd",
		run: []string{"runsv", "service"}, hup: []string{"sv", "hup", "./service"}, restart: []string{"sv", "term", "./service"},
		table: []string{"sv", "1", "./service"}, renew: []string{"sv", "2", "./service"},
		status: []string{"sv", "status", "./service"}, down: []string{"sv", "-w", "30", "down", "./service"}, end: []string{"sv", "-w", "30", "force-shutdown", "./service"},
	},
	{
		name: "s6", logger: "s6-log",
		run: []string{"s6-svscan", "."}, hup: []string{"s6-svc", "-h", "service"}, restart: []string{"s6-svc", "-t", "service"},
		table: []string{"s6-svc", "-1", "service"}, renew: []string{"s6-svc", "-2", "service"},
		ready:  []string{"s6-svwait", "-U", "-t", "30000", "service"},
		status: []string{"s6-svstat", "service"}, down: []string{"s6-svc", "-wD", "-T", "30000", "-d", "service"}, end: []string{"s6-svscanctl", "-t", "."},
	},
}

// Under each supervisor the scripts of docs/services work: the server starts, is
// ready, logs, reads its limit again, prints its table, is replaced under the
// supervisor's eyes, is restarted, and goes down.
func TestConformanceSupervisors(t *testing.T) {
	for _, v := range supervisors {
		t.Run(v.name, func(t *testing.T) {
			for _, c := range [][]string{v.run, v.hup, v.status, {v.logger}} {
				testprog.Peer(t, c[0])
			}
			d := newService(t, v)
			port := d.port(t, 1)
			d.do(t, v.ready)
			served(t, port, 3)
			d.wait(t, `tcpserver: ok [0-9]+ mail\.example\.com:127\.0\.0\.1`, 3)
			d.wait(t, `tcpserver: end [0-9]+ status 0$`, 3)

			d.write(t, "limit", "7\n")
			d.do(t, v.hup)
			d.wait(t, `tcpserver: status: 0/7$`, 1)
			d.signal(t, v.table, syscall.SIGUSR1)
			d.wait(t, `tcpserver: table: [0-9]+/7$`, 1)

			before := d.pid(t)
			d.signal(t, v.renew, syscall.SIGUSR2)
			d.wait(t, `tcpserver: status: 0/7$`, 2)
			served(t, port, 3)
			if now := d.pid(t); now != before {
				t.Errorf("pid %s after the handover, %s before", now, before)
			}

			d.do(t, v.restart)
			again := d.port(t, 2)
			d.do(t, v.ready)
			served(t, again, 1)
			for began := time.Now(); d.pid(t) == before; { // the supervisor may hear of its own doing later than the log
				if time.Since(began) > patience {
					t.Fatalf("pid %s before and after the restart", before)
				}
			}

			d.do(t, v.down)
			refuses(t, again)
			d.end(t)
		})
	}
}

// service is a folder that a supervisor runs.
type service struct {
	supervisor
	dir string
	cmd *exec.Cmd
}

func newService(t *testing.T, v supervisor) *service {
	t.Helper()
	d := &service{supervisor: v, dir: t.TempDir()}
	for _, dir := range []string{"service", "service/log", "service/log/main"} {
		if err := os.MkdirAll(filepath.Join(d.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d.write(t, "service/run", serviceScript(t, v.name, d.dir))
	// The log's folder is the test's, and so is its user.
	d.write(t, "service/log/run", regexp.MustCompile(`exec .*?((?:multilog|svlogd|s6-log) .*)/var/log/qmail/smtpd`).ReplaceAllString(docPage(t, "services/"+v.name+"/smtpd/log/run"), "exec $1./main"))
	if v.name == "s6" {
		d.write(t, "service/notification-fd", docPage(t, "services/s6/smtpd/notification-fd"))
	}
	d.cmd = exec.Command(v.run[0], v.run[1:]...)
	d.cmd.Dir = d.dir
	d.cmd.Env = append(os.Environ(), "PATH="+testprog.Dir(t)+":"+os.Getenv("PATH"))
	d.cmd.Stderr = os.Stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.cmd.ProcessState == nil {
			d.end(t)
		}
	})
	return d
}

// end has the supervisor go away.
func (d *service) end(t *testing.T) {
	t.Helper()
	if d.name == "daemontools" { // svscan would start them again
		d.cmd.Process.Kill()
	}
	d.do(t, d.supervisor.end)
	d.cmd.Wait()
	if d.name == "daemontools" { // svc does not wait; supervise has its lock until its end
		for _, dir := range []string{"service", "service/log"} {
			f, err := os.Open(filepath.Join(d.dir, dir, "supervise/lock"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (d *service) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (d *service) do(t *testing.T, argv []string) (out string) {
	t.Helper()
	if argv == nil {
		return ""
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = d.dir
	b, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v %s", argv, err, b)
	}
	return string(b)
}

// signal sends a signal by the supervisor's command, or by kill.
func (d *service) signal(t *testing.T, argv []string, sig syscall.Signal) {
	t.Helper()
	if argv != nil {
		d.do(t, argv)
		return
	}
	d.do(t, []string{"kill", "-" + unix.SignalName(sig)[len("SIG"):], d.pid(t)})
}

var pidOf = regexp.MustCompile(`pid:? ([0-9]+)`)

func (d *service) pid(t *testing.T) string {
	t.Helper()
	m := pidOf.FindStringSubmatch(d.do(t, d.status))
	if m == nil {
		t.Fatalf("no pid: %s", d.do(t, d.status))
	}
	return m[1]
}

// port waits for the nth port in the log.
func (d *service) port(t *testing.T, n int) string {
	t.Helper()
	return d.wait(t, `([0-9]+)$`, n)
}

// wait waits until n lines of the log are what the expression says, and
// returns its last group in the last of them.
func (d *service) wait(t *testing.T, expr string, n int) string {
	t.Helper()
	folder := filepath.Join(d.dir, "service/log/main")
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	changes := os.NewFile(uintptr(fd), "inotify")
	defer changes.Close()
	if _, err := unix.InotifyAddWatch(fd, folder, unix.IN_CREATE|unix.IN_MODIFY|unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	changes.SetReadDeadline(time.Now().Add(patience))
	re := regexp.MustCompile(`(?m)^(?:@[0-9a-f]{24} )?` + expr)
	for {
		text, err := os.ReadFile(filepath.Join(folder, "current"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if m := re.FindAllStringSubmatch(string(text), -1); len(m) >= n {
			return m[n-1][len(m[n-1])-1]
		}
		if _, err := changes.Read(make([]byte, 4096)); err != nil {
			t.Fatalf("not %d times in the log: %s\n%s", n, expr, text)
		}
	}
}
