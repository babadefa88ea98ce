package prog_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
)

// The answers were taken from ucspi-tcp 0.88's argv0 and tcpserver.
func TestFindProgram(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, program, path string
		unset               bool
		fails               map[string]syscall.Errno // files that cannot be run
		tried               string
		want                error
	}{
		{name: "slash", program: "./a", path: "/x", tried: "./a"},
		{name: "slash fails", program: "/a", path: "/x", fails: map[string]syscall.Errno{"/a": syscall.ENOENT}, tried: "/a", want: syscall.ENOENT},
		{name: "no PATH", program: "a", unset: true, fails: map[string]syscall.Errno{"/bin/a": syscall.ENOENT}, tried: "/bin/a /usr/bin/a"},
		{name: "empty PATH", program: "a", tried: "./a"},
		{name: "empty element", program: "a", path: "/x::/y", fails: map[string]syscall.Errno{"/x/a": syscall.ENOENT}, tried: "/x/a ./a"},
		{name: "trailing colon", program: "a", path: "/x:", fails: map[string]syscall.Errno{"/x/a": syscall.ENOENT}, tried: "/x/a ./a"},
		{name: "denied is passed over", program: "a", path: "/x:/y", fails: map[string]syscall.Errno{"/x/a": syscall.EACCES}, tried: "/x/a /y/a"},
		{name: "denied wins over absent", program: "a", path: "/x:/y", fails: map[string]syscall.Errno{"/x/a": syscall.EACCES, "/y/a": syscall.ENOENT}, tried: "/x/a /y/a", want: syscall.EACCES},
		{name: "last denied wins", program: "a", path: "/x:/y", fails: map[string]syscall.Errno{"/x/a": syscall.EACCES, "/y/a": syscall.EPERM}, tried: "/x/a /y/a", want: syscall.EPERM},
		{name: "not a directory stops", program: "a", path: "/x:/y", fails: map[string]syscall.Errno{"/x/a": syscall.ENOTDIR}, tried: "/x/a", want: syscall.ENOTDIR},
		{name: "bad format stops", program: "a", path: "/x:/y", fails: map[string]syscall.Errno{"/x/a": syscall.ENOEXEC}, tried: "/x/a", want: syscall.ENOEXEC},
		{name: "absent", program: "a", path: "/x", fails: map[string]syscall.Errno{"/x/a": syscall.ENOENT}, tried: "/x/a", want: syscall.ENOENT},
	} {
		var tried []string
		err := prog.FindProgram(tt.program, tt.path, !tt.unset, func(file string) error {
			tried = append(tried, file)
			if e, bad := tt.fails[file]; bad {
				return e
			}
			return nil
		})
		if err != tt.want || !slices.Equal(tried, strings.Fields(tt.tried)) {
			t.Errorf("%s: tried %q, error %v; want %q, %v", tt.name, tried, err, tt.tried, tt.want)
		}
	}
}

func TestExecutable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, runs := filepath.Join(dir, "plain"), filepath.Join(dir, "runs")
	if os.WriteFile(plain, nil, 0o644) != nil || os.WriteFile(runs, nil, 0o755) != nil {
		t.Fatal("cannot write the files")
	}
	for file, want := range map[string]error{
		runs:         nil,
		plain:        syscall.EACCES,
		dir:          syscall.EACCES,
		dir + "/no":  syscall.ENOENT,
		plain + "/x": syscall.ENOTDIR,
	} {
		if err := prog.Executable(file); err != want {
			t.Errorf("Executable(%q) = %v, want %v", file, err, want)
		}
	}
}
