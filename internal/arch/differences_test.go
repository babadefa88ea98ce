package arch

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// Every difference that docs/differences.md lists in a table with a column
// "test" has one there, so has every limit of docs/security.md, and all tests
// and scripts that these pages name exist.
func TestDifferencesAreTested(t *testing.T) {
	top := os.DirFS(root(t))
	tests := testNames(t, top)
	for _, name := range []string{"docs/differences.md", "docs/security.md"} {
		t.Run(name, func(t *testing.T) { namesTests(t, testprog.ReadPage(t, name), top, tests) })
	}
}

func namesTests(t *testing.T, page testprog.Page, top fs.FS, tests map[string]bool) {
	// A test is package.TestName, a script package/name.txtar, in backquotes.
	name := regexp.MustCompile("`([a-z0-9/]+)(?:\\.(Test\\w+)|/(\\w+\\.txtar))`")
	column, named := 0, 0
	for line := range strings.Lines(page.Text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			column = 0
		case strings.TrimSpace(cells[len(cells)-1]) == "test":
			column = len(cells)
		case column > 0 && !strings.HasPrefix(line, "|--") && (len(cells) != column || !name.MatchString(cells[column-1])):
			t.Errorf("without a test: %s", line)
		}
		for _, m := range name.FindAllStringSubmatch(line, -1) {
			named++
			if m[2] != "" && !tests[m[1]+"."+m[2]] {
				t.Errorf("no such test: %s.%s", m[1], m[2])
			}
			if m[3] != "" {
				if _, err := fs.Stat(top, m[1]+"/testdata/script/"+m[3]); err != nil {
					t.Errorf("no such script: %v", err)
				}
			}
		}
	}
	if named == 0 {
		t.Error("the page names no tests")
	}
}

// testNames returns all tests as folder.TestName, those with build tags too.
func testNames(t *testing.T, top fs.FS) map[string]bool {
	t.Helper()
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	names := make(map[string]bool)
	err := fs.WalkDir(top, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(top, path)
		if err != nil {
			return err
		}
		folder := path[:strings.LastIndex(path, "/")]
		for _, m := range function.FindAllSubmatch(src, -1) {
			names[folder+"."+string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
