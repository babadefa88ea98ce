//go:build conformance

package argv0_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestConformance(t *testing.T) {
	c, ours := testprog.Peer(t, "/usr/bin/argv0"), filepath.Join(testprog.Dir(t), "argv0")
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o755, "denied": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("no interpreter line\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, script := range []string{
		`exec "$0"`, `exec "$0" sh`, `exec "$0" ""`, `exec "$0" "" x`, `exec "$0" -- sh x`, `exec "$0" -h x`,
		`exec "$0" nosuch x`, `exec "$0" ./nosuch x`, `exec "$0" / x`, `exec "$0" . x`, `exec "$0" ./plain x`, `exec "$0" ./plain/x x`, `exec "$0" ./denied x`,
		`exec "$0" sh x -c 'tr "\0" "|" </proc/$$/cmdline; exit 7'`,
		`exec "$0" sh "" -c 'tr "\0" "|" </proc/$$/cmdline' "" "a b" ""`,
		`exec "$0" sh -sh -c 'kill -9 $$'`,
		`PATH=; export PATH; exec "$0" sh x`, `unset PATH; exec "$0" sh x -c 'echo $0'`, `PATH=/nosuch:.:/bin; export PATH; exec "$0" sh x -c 'echo "$PATH"'`,
		`PATH=./plain:/bin; export PATH; exec "$0" sh x`, `PATH=.:/bin; export PATH; exec "$0" plain x`, `PATH=.:/bin; export PATH; exec "$0" denied x`,
		`PATH=:/nosuch; export PATH; exec "$0" denied x`,
		`trap "" HUP INT QUIT TERM PIPE USR1; exec "$0" grep x ^Sig[BIC] /proc/self/status`,
		`exec "$0" grep x ^Sig[BIC] /proc/self/status`,
		`exec "$0" ls x /proc/self/fd 3</dev/null 8</dev/null`, `exec "$0" ls x /proc/self/fd <&- 2>&-`, `exec "$0" ls x /proc/self/fd 2>&-`,
		`ulimit -Sn 40; ulimit -Ss 4000; ulimit -Sv 30000; exec "$0" cat x /proc/self/limits`,
		`export A=1 B=; exec env -i A=2 C= "$0" env x`,
	} {
		var got [2]string
		for i, exe := range []string{c, ours} {
			cmd := exec.Command("sh", "-c", script, exe)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			got[i] = fmt.Sprintf("%s(%v)", out, err)
		}
		if got[0] != got[1] {
			t.Errorf("%s: C\n%s\nours\n%s", script, got[0], got[1])
		}
	}
}

func TestConformanceBlockedSignals(t *testing.T) {
	c, ours := testprog.Peer(t, "/usr/bin/argv0"), filepath.Join(testprog.Dir(t), "argv0")
	testprog.CompareBlocked(t, c, ours, "grep")
}
