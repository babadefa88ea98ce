package private

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPath(t *testing.T) {
	t.Parallel()
	uid := strconv.Itoa(os.Geteuid())
	if got := Path("", "prog"); got != "/tmp/prog."+uid {
		t.Errorf("Path = %q", got)
	}
	if got := Path("/x", "prog"); got != "/x/prog."+uid {
		t.Errorf("Path = %q", got)
	}
}

func TestOpenFolder(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for _, err := range []error{
		os.Mkdir(top+"/mine", 0o700),
		os.Mkdir(top+"/open", 0o700), os.Chmod(top+"/open", 0o710),
		os.Symlink("mine", top+"/link"),
		os.WriteFile(top+"/file", nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{
		"new": nil, "mine": nil, "open": unix.EPERM, "link": unix.ENOTDIR, "file": unix.ENOTDIR, "missing/below": unix.ENOENT,
	} {
		fd, err := OpenFolder(filepath.Join(top, name))
		if !errors.Is(err, want) || (fd >= 0) != (want == nil) {
			t.Errorf("%s: %d, %v; want %v", name, fd, err, want)
		}
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if st, err := os.Stat(top + "/new"); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the new folder: %v, %v", st, err)
	}
	foreign := top + "/foreign"
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(foreign, 65533, -1); err != nil {
		t.Skip(err)
	}
	if fd, err := OpenFolder(foreign); err != unix.EPERM {
		t.Errorf("of another user: %d, %v; want EPERM", fd, err)
	}
}
