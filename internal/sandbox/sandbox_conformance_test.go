//go:build conformance

package sandbox_test

import (
	"os/exec"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// Where there is no Landlock, as in an emulator, the programs say so once and
// do their work.
func TestConformanceMissing(t *testing.T) {
	emulator := testprog.Peer(t, "qemu-aarch64-static")
	bin := t.TempDir()
	if err := testprog.Make(bin, "GOARCH=arm64"); err != nil {
		t.Fatal(err)
	}
	run := func(script string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.Command("sh", "-c", script)
		cmd.Env = append(cmd.Environ(), "SANDBOX=", "RUN="+emulator+" "+bin, "QMAILHOME="+t.TempDir(), "TCPREMOTEIP=127.0.0.9")
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, errs.String())
		}
		return string(out), errs.String()
	}
	stdout, stderr := run(`echo quit | RBLSMTPD=x $RUN/rblsmtpd true`)
	if !strings.HasPrefix(stdout, "220 ") || strings.Count(stderr, "rblsmtpd: warning: no sandbox: this kernel has no Landlock\n") != 1 {
		t.Errorf("rblsmtpd: %q, says %q", stdout, stderr)
	}
	stdout, stderr = run(`printf 'From: a@example.com\n\ntext\n' | DKIMQUEUE=/bin/cat $RUN/qmail-dkim`)
	if !strings.HasSuffix(stdout, "\ntext\n") || !strings.Contains(stderr, " warn=no-sandbox") {
		t.Errorf("qmail-dkim: %q, says %q", stdout, stderr)
	}
}
