package testprog

import (
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BlockedSignals are sets of signals that a program may be started with
// blocked, by name.
var BlockedSignals = map[string][]syscall.Signal{
	"CHLD blocked":       {syscall.SIGCHLD},
	"TERM blocked":       {syscall.SIGTERM},
	"PIPE blocked":       {syscall.SIGPIPE},
	"URG blocked":        {syscall.SIGURG},
	"others blocked":     {syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGALRM},
	"real time blocked":  signals(34, 64),
	"everything blocked": signals(1, 64),
}

func signals(first, last syscall.Signal) (all []syscall.Signal) {
	for sig := first; sig <= last; sig++ {
		all = append(all, sig)
	}
	return all
}

// StartBlocking starts a process in which the signals are blocked.
func StartBlocking(cmd *exec.Cmd, block []syscall.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var set, old unix.Sigset_t
	for _, sig := range block {
		set.Val[(sig-1)/64] |= 1 << ((sig - 1) % 64)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return cmd.Start()
}

// CompareBlocked wants a program to inherit the same blocked and ignored
// signals under either of two programs with the same arguments, whatever they
// were started with.
func CompareBlocked(t *testing.T, c, ours string, args ...string) {
	t.Helper()
	for name, block := range BlockedSignals {
		var told [2]string
		for i, exe := range []string{c, ours} {
			var stdout strings.Builder
			cmd := exec.Command(exe, append(args, "grep", "^Sig[BIC]", "/proc/self/status")...)
			cmd.Stdout = &stdout
			if err := StartBlocking(cmd, block); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			told[i] = stdout.String() + cmd.ProcessState.String()
		}
		if told[0] != told[1] || !strings.Contains(told[0], "SigBlk") {
			t.Errorf("%s: C\n%s\nours\n%s", name, told[0], told[1])
		}
	}
}
