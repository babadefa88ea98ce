//go:build conformance

package inherit_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// The jobs under the program that run scripts use.
func TestConformanceSoftlimit(t *testing.T) {
	newWorld(t).underSoftlimit(t, jobs)
}

func TestConformanceSoftlimitFixedPorts(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	serveFixedPorts(t)
	newWorld(t).underSoftlimit(t, fixedPorts)
}

func (w world) underSoftlimit(t *testing.T, jobs []job) {
	testprog.Peer(t, "softlimit")
	w.enter = `enter() { exec softlimit -m $LIMIT "$@"; }`
	for _, j := range jobs {
		for _, size := range sizes {
			if j.least > size {
				continue
			}
			if got := w.run(t, size, j.command); got != j.want {
				t.Errorf("%s under %d bytes: %q, want %q", j.name, size, got, j.want)
			}
		}
	}
}

// The entry point of the other processor.
func TestConformanceARM64(t *testing.T) {
	emulator := testprog.Peer(t, "qemu-aarch64-static")
	dir := t.TempDir()
	if err := testprog.Make(dir, "GOARCH=arm64"); err != nil {
		t.Fatal(err)
	}
	for _, before := range []string{"", "trap '' HUP QUIT USR1", "exec 0<&-", "ulimit -Sn 50"} {
		run := func(words ...string) string {
			out, err := exec.Command("sh", append([]string{"-c", before + "\nexec \"$@\"", "sh"}, words...)...).Output()
			if err != nil {
				t.Fatalf("%q: %v", words, err)
			}
			return strings.TrimSpace(string(out))
		}
		want := run("sh", "-c", show)
		if got := run(emulator, filepath.Join(dir, "argv0"), "/bin/sh", "sh", "-c", show); got != want {
			t.Errorf("after %q: %s\nwant %s", before, got, want)
		}
	}
}
