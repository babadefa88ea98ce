package tcprules_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/rules"
	"ucspi-go/tcprules"
)

// Each kind of trouble is an error of its own kind, and leaves the database.
func TestBuildErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cdb, tmp := filepath.Join(dir, "cdb"), filepath.Join(dir, "tmp")
	if err := tcprules.Build(cdb, tmp, strings.NewReader(":deny\n")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(cdb)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tmp); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file stays: %v", err)
	}
	if err := os.Mkdir(dir+"/folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		cdb, tmp string
		text     io.Reader
		as       any
		says     string
	}{
		{"bad line", cdb, tmp, strings.NewReader(":allow\n1.2:allwo\n"), new(*rules.SyntaxError), "rules: line 2: unable to parse: 1.2:allwo"},
		{"text cannot be read", cdb, tmp, iotest.ErrReader(errors.New("broken")), new(*tcprules.InputError), "tcprules: unable to read rules: broken"},
		{"no folder", cdb, dir + "/missing/tmp", strings.NewReader(""), new(*fs.PathError), "open "},
		{"disk full", cdb, "/dev/full", strings.NewReader(":allow\n"), new(*fs.PathError), "write /dev/full"},
		{"folder in the way", dir + "/folder", tmp, strings.NewReader(""), new(*os.LinkError), "rename "},
	} {
		err := tcprules.Build(tt.cdb, tt.tmp, tt.text)
		if err == nil || !errors.As(err, tt.as) || !strings.HasPrefix(err.Error(), tt.says) {
			t.Errorf("%s: %T %v, want %T, %s", tt.name, err, err, tt.as, tt.says)
		}
	}
	if after, err := os.ReadFile(cdb); err != nil || string(after) != string(before) {
		t.Errorf("the database has changed: %v", err)
	}
}
