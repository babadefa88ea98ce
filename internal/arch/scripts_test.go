package arch

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// Every folder of scripts is run: a script that no test names proves nothing.
func TestScriptsAreRun(t *testing.T) {
	top := os.DirFS(root(t))
	found := 0
	err := fs.WalkDir(top, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || !strings.HasSuffix(name, "/testdata/script") {
			return err
		}
		found++
		folder := path.Dir(path.Dir(name))
		tests, err := fs.Glob(top, folder+"/*_test.go")
		if err != nil {
			return err
		}
		for _, test := range tests {
			src, err := fs.ReadFile(top, test)
			if err != nil {
				return err
			}
			if strings.Contains(string(src), `testprog.Run(t, "testdata/script")`) {
				return nil
			}
		}
		t.Errorf("%s: no test runs it", name)
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d folders, %v", found, err)
	}
}
