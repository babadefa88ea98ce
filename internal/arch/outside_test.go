package arch

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The test that docs/sitetest.md shows runs in a module of its own, which can
// use only what is public, and fails when the rules are others.
func TestOutsideModule(t *testing.T) {
	page, err := fs.ReadFile(os.DirFS(root(t)), "docs/sitetest.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := regexp.MustCompile("(?s)<!-- ([a-z._]+) -->\n```[a-z]*\n(.*?)```\n")
	texts := map[string][]byte{}
	for _, m := range file.FindAllSubmatch(page, -1) {
		texts[string(m[1])] = m[2]
		write(string(m[1]), m[2])
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

	write("tcp.smtp", bytes.Replace(texts["tcp.smtp"], []byte("%/default"), []byte("%/next"), 1))
	out, err := run("test", "-count=1", ".")
	if want := `192.0.2.25, joe@example.com: signed by [], want ["example.com default"]: qmail-dkim: unsigned pid=0 from=example.com reason=no-key`; err == nil || !strings.Contains(out, want) {
		t.Errorf("with another selector: %v\n%s", err, out)
	}
}
