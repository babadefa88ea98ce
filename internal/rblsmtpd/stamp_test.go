package rblsmtpd

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDue(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "rblsmtpd.0")
	now := time.Now()
	for i, tt := range []struct {
		list  string
		after time.Duration
		want  bool
	}{
		{"a", 0, true},
		{"a", time.Second, false},
		{"b", time.Second, true},
		{"../b/\x00" + dir, 2 * time.Second, true},
		{"a", 59 * time.Second, false},
		{"a", 61 * time.Second, true},
		{"a", 100 * time.Second, false},
		{"a", 122 * time.Second, true},
		{"a", -time.Hour, true},
		{"a", -time.Hour + time.Second, false},
	} {
		if got := due(dir, tt.list, now.Add(tt.after)); got != tt.want {
			t.Errorf("%d: due(%q) after %v = %v, want %v", i, tt.list, tt.after, got, tt.want)
		}
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", st.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("files %v, %v; want 3", files, err)
	}
	if beside, _ := filepath.Glob(filepath.Dir(dir) + "/*"); len(beside) != 1 {
		t.Errorf("files beside the folder: %q", beside)
	}
}

// Nothing that others could have put there is followed or believed.
func TestDueDistrusts(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	mine := filepath.Join(top, "mine")
	target := filepath.Join(top, "target")
	for _, err := range []error{
		os.Mkdir(mine, 0o700),
		os.Mkdir(top+"/open", 0o700), os.Chmod(top+"/open", 0o770),
		os.Symlink(mine, top+"/link"),
		os.WriteFile(top+"/file", nil, 0o600),
		os.WriteFile(target, nil, 0o600),
		os.Symlink(target, filepath.Join(mine, stampName("list"))),
		os.Symlink(top+"/new", filepath.Join(mine, stampName("dangling"))),
		os.Symlink(top+"/file", filepath.Join(mine, stampName("fresh"))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(target, old, old); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, list string }{
		{"open", "x"}, {"link", "x"}, {"file", "x"}, {"missing/below", "x"}, {"mine", "list"}, {"mine", "dangling"}, {"mine", "fresh"},
	} {
		for range 2 {
			if !due(filepath.Join(top, tt.dir), tt.list, time.Now()) {
				t.Errorf("%s, %s: silent", tt.dir, tt.list)
			}
		}
	}
	if st, err := os.Stat(target); err != nil || !st.ModTime().Equal(old) {
		t.Errorf("the target of a link was touched: %v", err)
	}
	if _, err := os.Stat(top + "/new"); err == nil {
		t.Error("the target of a link was made")
	}
}

// The folder of another user is not believed.
func TestDueForeign(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "foreign")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 65533, -1); err != nil {
		t.Skip(err)
	}
	for range 2 {
		if !due(dir, "x", time.Now()) {
			t.Error("silent")
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("files in it: %v", files)
	}
}

func TestDueAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x")
	// The folder is there, and in the second round an old file.
	due(dir, "other", time.Now())
	for round := range 2 {
		var lines atomic.Int32
		var all sync.WaitGroup
		now := time.Now().Add(time.Duration(round) * time.Hour)
		for range 50 {
			all.Go(func() {
				if due(dir, "list", now) {
					lines.Add(1)
				}
			})
		}
		if all.Wait(); lines.Load() != 1 {
			t.Errorf("round %d: %d lines, want 1", round, lines.Load())
		}
	}
}

// While a process has the file, it is the one to log.
func TestDueLocked(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x")
	later := time.Now().Add(time.Hour)
	due(dir, "list", time.Now())
	f, err := os.Open(filepath.Join(dir, stampName("list")))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if due(dir, "list", later) {
		t.Error("two lines")
	}
	f.Close()
	if !due(dir, "list", later) {
		t.Error("no line after the lock is gone")
	}
}
