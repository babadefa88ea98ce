//go:build conformance

package rblsmtpd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// A program has the same descriptors, signals and limits, however rblsmtpd was
// started, and whether or not it has asked name servers.
func TestConformanceInheritance(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	const rest = `pwd; cd /proc/$$; for i in 0 1 2 3 4 5 6 7 8 9 10; do
		if [ -e fd/$i ]; then echo $i $(readlink fd/$i | sed "s/:.*//") $(grep flags fdinfo/$i); fi
	done; grep -E "^(NoNewPrivs|Umask|Groups)" status; cut -d" " -f19 stat; cat limits`
	for _, how := range []string{
		"", `trap "" HUP`, `trap "" INT QUIT`, `trap "" TERM`, `trap "" PIPE`, `trap "" CHLD`, `trap "" USR1 USR2 ALRM VTALRM`, `trap "" TSTP TTIN TTOU CONT`,
		`trap "" ABRT XCPU XFSZ WINCH 29 PWR`, `trap "" ILL TRAP BUS FPE 16 PROF URG SYS`, `i=34; while [ $i -le 64 ]; do trap "" $i; i=$((i+1)); done`,
		"exec 3</dev/null 7</etc/passwd 9>>/dev/null", "exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null 8</dev/null",
		"exec 0<&-", "exec 2>&-", "exec 0<&- 2>&-", "exec 3>&1 >&-", "exec 3>&1 0<&- >&- 2>&-",
		"ulimit -Sn 300; ulimit -Hn 400; ulimit -c 0", "ulimit -n 20", "ulimit -Ss 4096; ulimit -f 4000000", "ulimit -Sv 30000; ulimit -Sd 8000", "umask 027; cd /usr",
	} {
		for _, list := range []string{"", "-r none.example -a none.example "} {
			for _, program := range []string{"grep ^Sig[BIC] /proc/self/status", "sh -c '" + rest + "'"} {
				if strings.Contains(how, "3>&1") {
					program += " >&3"
				}
				var got [2]string
				for i, exe := range []string{w.c, w.ours} {
					cmd := exec.Command("sh", "-c", how+"\nexec \"$0\" "+list+program, exe)
					cmd.Dir = w.dir
					cmd.Env = []string{"TCPREMOTEIP=1.2.3.4", "PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1"}
					out, err := cmd.Output()
					got[i] = fmt.Sprintf("%s%v", out, err)
				}
				if got[0] != got[1] {
					t.Errorf("%q, rblsmtpd %s%.20s: C\n%s\nours\n%s", how, list, program, got[0], got[1])
				}
			}
		}
	}
	for name, value := range map[string]string{"TCPREMOTEIP": "1.2.3.4", "DNSCACHEIP": "127.0.0.1"} {
		t.Setenv(name, value)
	}
	testprog.CompareBlocked(t, w.c, w.ours)
	testprog.CompareBlocked(t, w.c, w.ours, "-r", "none.example")
}

// Nobody reads the replies any more.
func TestConformanceBrokenPipe(t *testing.T) {
	w := conform{c: testprog.Peer(t, "/usr/bin/rblsmtpd"), ours: filepath.Join(testprog.Dir(t), "rblsmtpd")}
	for _, timeout := range []string{"-t0", "-t9"} {
		var outcome []string
		for _, program := range []string{w.c, w.ours} {
			r, out, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			cmd := exec.Command(program, timeout, "true")
			cmd.Env, cmd.Stdout = []string{"RBLSMTPD=x"}, out
			cmd.Run()
			out.Close()
			outcome = append(outcome, cmd.ProcessState.String())
		}
		if outcome[0] != outcome[1] {
			t.Errorf("%s: C %s, ours %s", timeout, outcome[0], outcome[1])
		}
	}
}

// Every signal ends both in the same way, or neither; only SIGALRM ends C's
// session as its time does: TestSignals.
func TestConformanceSignals(t *testing.T) {
	c, ours := testprog.Peer(t, "/usr/bin/rblsmtpd"), filepath.Join(testprog.Dir(t), "rblsmtpd")
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGALRM, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGSYS:
			continue // stopped, or a fault of the program, of which the Go runtime says more
		}
		want := signalled(t, c, sig, true) // C has one thread
		if got := signalled(t, ours, sig, strings.HasPrefix(want, "exit")); got != want {
			t.Errorf("signal %d: C %s, ours %s", sig, want, got)
		}
	}
}
