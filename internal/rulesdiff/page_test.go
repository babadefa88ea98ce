package rulesdiff

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"ucspi-go/internal/testprog"
)

// The example of docs/rulesdiff.md is true.
func TestPage(t *testing.T) {
	t.Parallel()
	root, err := testprog.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/rulesdiff.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := make(map[string]string)
	for _, m := range regexp.MustCompile("<!-- (\\w+) -->\n```\n((?s).*?)```\n").FindAllStringSubmatch(string(page), -1) {
		parts[m[1]] = m[2]
	}
	if got := tellAll(t, parts["old"], parts["new"], false); got != parts["says"] || got == "" {
		t.Errorf("%swant\n%s", got, parts["says"])
	}
}
