package rblsmtpd_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/sandbox"
	"ucspi-go/internal/testprog"
)

// With SANDBOX the session of a blocked client is in one; the program of
// another is not.
func TestSandbox(t *testing.T) {
	t.Parallel()
	if !sandbox.Available() {
		t.Skip("this kernel has no Landlock")
	}
	for _, tt := range []struct{ blocked, want string }{{"x", "1"}, {"", "0"}} {
		cmd := exec.Command(filepath.Join(testprog.Dir(t), "rblsmtpd"), "sh", "-c", "echo greeting; cat")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TCPREMOTEIP=127.0.0.9", "SANDBOX=", "RBLSMTPD=" + tt.blocked}
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		greeting, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Errorf("RBLSMTPD=%s: greeting %q, %v", tt.blocked, greeting, err)
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if want := "NoNewPrivs:\t" + tt.want + "\n"; err != nil || !strings.Contains(string(status), want) {
			t.Errorf("RBLSMTPD=%s: no %q in the state of the process, %v", tt.blocked, want, err)
		}
		stdin.Close()
		if err := cmd.Wait(); err != nil || strings.Contains(stderr.String(), "sandbox") {
			t.Errorf("RBLSMTPD=%s: %v, says %q", tt.blocked, err, stderr.String())
		}
	}
}
