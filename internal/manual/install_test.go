package manual

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ucspi-go/internal/testprog"
)

// "make install" puts the programs and the pages into their folders below
// DESTDIR, and nothing elsewhere.
func TestInstall(t *testing.T) {
	t.Parallel()
	dest := t.TempDir()
	bin, err := filepath.Abs(testprog.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("make", "-s", "install", "-o", "all", "BIN="+bin, "DESTDIR="+dest, "PREFIX=/opt/mail")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("make install: %v\n%s", err, out)
	}
	want := make(map[string]os.FileMode)
	for program := range loadSource(t).mains {
		want["opt/mail/bin/"+program] = 0o755
	}
	for _, p := range pages(t) {
		want["opt/mail/share/man/man"+p.file[len(p.file)-1:]+"/"+p.file] = 0o644
	}
	err = filepath.WalkDir(dest, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dest, path)
		if mode, ok := want[name]; !ok || info.Mode() != mode {
			t.Errorf("%s is installed, mode %v, want %v", name, info.Mode(), mode)
		}
		delete(want, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		t.Errorf("%s is not installed", name)
	}
}
