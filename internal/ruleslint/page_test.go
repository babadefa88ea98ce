package ruleslint

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// Each example of docs/lint.md gives the findings that stand behind it, of the
// kind that its heading names, its mended form gives none, and every kind of
// finding has one.
func TestPage(t *testing.T) {
	t.Parallel()
	home := qmailHome(t)
	page := testprog.ReadPage(t, "docs/lint.md").Text
	example := regexp.MustCompile("```lint(?: -o \"(.*)\")?\n((?s).*?)```\n")
	seen := make(map[kind]bool)
	for _, section := range strings.Split(page, "\n### ")[1:] {
		first, rest, _ := strings.Cut(section, "\n")
		m := example.FindStringSubmatch(rest)
		if m == nil {
			t.Errorf("%s: no example", first)
			continue
		}
		heading, server := kind(first), m[1]
		rules, want, mended := lintExample(m[2])
		var args []string
		if server != "" {
			args = []string{"-o", server}
		}
		got, code := run(t, home, rules, args...)
		if got = strings.ReplaceAll(got, home, "/var/qmail"); got != want || want == "" || code != 1 {
			t.Errorf("%s: exit %d\n%swant\n%s", heading, code, got, want)
		}
		if got, code := run(t, home, mended, args...); got != "" || mended == "" || code != 0 {
			t.Errorf("%s, mended: exit %d\n%s", heading, code, got)
		}
		l := linter{home: home}
		l.server, _ = serverOptions(server)
		if server == "" {
			l.server = nil
		}
		for _, f := range l.lint([]byte(rules)) {
			if f.kind != heading {
				t.Errorf("%s: its example gives %v", heading, f)
			}
		}
		seen[heading] = true
	}
	kinds := regexp.MustCompile(`(?m)^\tkind\w+ +kind = "(.*)"`).FindAllStringSubmatch(testprog.ReadPage(t, "internal/ruleslint/finding.go").Text, -1)
	if len(kinds) < 30 {
		t.Errorf("%d kinds of findings are known", len(kinds))
	}
	for _, m := range kinds {
		if !seen[kind(m[1])] {
			t.Errorf("%s: no example", m[1])
		}
	}
	if n := strings.Count(page, "```lint"); n != len(kinds) {
		t.Errorf("%d examples for %d kinds", n, len(kinds))
	}
}

// lintExample returns the three parts of an example: rules, findings, and the
// rules mended.
func lintExample(text string) (rules, findings, mended string) {
	for line := range strings.Lines(text) {
		switch {
		case line == "\n":
		case strings.HasPrefix(line, "tcp.smtp:"):
			findings += strings.TrimPrefix(line, "tcp.smtp:")
		case findings == "":
			rules += strings.ReplaceAll(line, "^M\n", "\r\n")
		default:
			mended += line
		}
	}
	return rules, findings, mended
}

// The table of known names has every variable that a program here reads.
func TestKnownNames(t *testing.T) {
	t.Parallel()
	root, err := testprog.Root()
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, pattern := range []string{"*/*.go", "qmaildkim/keys/*.go", "internal/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, files...)
	}
	read := regexp.MustCompile(`(?m)(?:\b[lL]ookup|\bvalue|\bset|\bor)\("([A-Z][A-Z0-9_]{2,})"|^\s*(?:const )?\w+ += "([A-Z][A-Z0-9_]{4,})"`)
	found := 0
	for _, file := range sources {
		switch filepath.Base(filepath.Dir(file)) {
		case "bench", "demo", "dnsserver", "site", "smtpsink", "testprog":
			continue // only tests and demonstrations have these
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range read.FindAllStringSubmatch(string(src), -1) {
			found++
			if name := m[1] + m[2]; !strings.Contains(" "+strings.Join(strings.Fields(ours), " ")+" ", " "+name+" ") {
				t.Errorf("%s reads %s, which names.go does not list", file, name)
			}
		}
	}
	if found < 40 {
		t.Errorf("%d places found where a variable is read", found)
	}
}

// No known name looks like a slip for another one.
func TestKnownNamesAreNoSlips(t *testing.T) {
	t.Parallel()
	for name := range known {
		l := linter{home: "/nonexistent"}
		for _, f := range l.lint([]byte("192.0.2.1:allow," + name + `="/x/%/x"` + "\n")) {
			if f.kind == kindNear || f.kind == kindVariable {
				t.Errorf("%s: %v", name, f)
			}
		}
	}
}
