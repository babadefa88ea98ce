package ruleslint

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// FuzzLint: no text makes the linter panic; each finding is one printable line
// about a line that is there; a file that tcprules refuses has a finding.
func FuzzLint(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.rule + "\n"))
	}
	files, err := filepath.Glob("testdata/published/*.rules")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	server, err := serverOptions("-HR")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := linter{home: "/nonexistent", server: server}
		findings := l.lint(text)
		last, lines := 1, bytes.Count(text, []byte("\n"))+1
		for _, found := range findings {
			if found.line < 1 || found.line > lines || found.line < last && found.kind != kindBytes && found.kind != kindCRLF {
				t.Errorf("line %d after %d of %d: %s", found.line, last, lines, found.text)
			}
			if found.kind != kindCRLF {
				last = found.line
			}
			if strings.ContainsFunc(found.text, func(c rune) bool { return c < ' ' || c > '~' }) || !strings.Contains(found.text, "; ") && len(found.text) < 600 {
				t.Errorf("%q", found.text)
			}
		}
		if _, err := rules.Parse(bytes.NewReader(text)); err != nil && len(findings) == 0 {
			t.Errorf("tcprules says %v, and nothing is found", err)
		}
	})
}
