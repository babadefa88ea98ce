package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// The test that docs/sitetest.md shows runs in a module of its own, which can
// use only what is public, and fails when the rules are others.
func TestOutsideModule(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	texts := testprog.ReadPage(t, "docs/sitetest.md").Examples()
	for name, text := range texts {
		write(name, text)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK="+dir+"/go.work", "GOPROXY=off", "GO111MODULE=", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) {
		if out, err := run(args...); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	must("mod", "init", "site")
	must("work", "init", dir, root(t))
	must("vet", ".")
	must("test", "-count=1", ".")

	write("tcp.smtp", strings.Replace(texts["tcp.smtp"], "%/default", "%/next", 1))
	out, err := run("test", "-count=1", ".")
	if want := `192.0.2.25, joe@example.com: signed by [], want ["example.com default"]: qmail-dkim: unsigned pid=0 from=example.com reason=no-key`; err == nil || !strings.Contains(out, want) {
		t.Errorf("with another selector: %v\n%s", err, out)
	}
}
