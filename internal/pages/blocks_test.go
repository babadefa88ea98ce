package pages

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

// byHand are blocks of the pages that no test types, by their first line, with
// what does so instead.
var byHand = map[string]string{
	"$ svc -t /service/qmail-smtpd":                  "needs supervise",
	"/etc/tcp.smtp --tcprules--> cdb --tcpserver-->": "is a picture",
	"make demo    # builds":                          "internal/demo.TestReadmeTranscript runs the demo, make test the tests",
	"make install PREFIX=/usr/local":                 "docs/migrate.md does, in another folder",
	"set, err := rules.Parse(":                       "qmaildkim.Example",
	"make bench ":                                    "takes minutes",
	"mkdir site && cd site":                          "internal/arch.TestOutsideModule does the same",
	"tcprulesdiff OLD NEW":                           "is a synopsis",
	"tcpruleslint /etc/tcp.smtp":                     "is a synopsis",
	"mailpath [-j]":                                  "is a synopsis",
	":relay.example.com:2525":                        "internal/qmailremote.TestRoutesByMX",
	"relay.example.com.  MX 10 a.example.com.":       "internal/qmailremote.TestRoutesByMX",
	"2026-11-25T19:58:01Z default next 604800":       "internal/domainkey.TestSwitch",
}

// pageNames returns those of the README and of all pages in docs.
func pageNames(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(root(t)), "docs/*.md")
	must(t, err)
	return append(names, "README.md")
}

// block is a fenced block with the comment before it, if any, or lines that are
// indented.
var block = regexp.MustCompile("(?ms)(?:^<!-- ([^\n]*) -->\n)?^```([a-z]*)[^\n]*\n(.*?)^```$|(?:^\n|\\A)((?:^    [^\n]*\n)+)")

// Each block of a page is compared with what a test gets, or is in byHand.
func TestBlocks(t *testing.T) {
	t.Parallel()
	tests := testSources(t)
	used := make(map[string]bool)
	for _, name := range pageNames(t) {
		for _, m := range block.FindAllStringSubmatch(testprog.ReadPage(t, name).Text, -1) {
			example, language, text := m[1], m[2], strings.TrimLeft(m[3]+m[4], " ")
			switch {
			case example != "" && mentioned(tests, name, example):
			case language == "lint": // internal/ruleslint.TestPage
			case why(text, used) != "":
			default:
				t.Errorf("%s: no test has this block; name it in a comment and run it, or say in byHand why not:\n%s", name, text)
			}
		}
	}
	for start := range byHand {
		if !used[start] {
			t.Errorf("no page has %q", start)
		}
	}
}

func why(text string, used map[string]bool) string {
	for start, reason := range byHand {
		if strings.HasPrefix(text, start) {
			used[start] = true
			return reason
		}
	}
	return ""
}

// mentioned tells whether some test names the page and its example. Examples
// named "rules" are TestRules', those named like files internal/arch's.
func mentioned(tests []string, page, example string) bool {
	if example == "rules" || page == "docs/sitetest.md" {
		return true
	}
	short := strings.TrimSuffix(path.Base(page), ".md")
	for _, text := range tests {
		if strings.Contains(text, `"`+example+`"`) && (strings.Contains(text, `"`+page+`"`) || strings.Contains(text, `"`+short+`"`)) {
			return true
		}
	}
	return false
}

// testSources returns the texts of all test files.
func testSources(t *testing.T) (texts []string) {
	t.Helper()
	must(t, filepath.WalkDir(root(t), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		texts = append(texts, string(text))
		return err
	}))
	return texts
}

// Rules that a page shows can be compiled.
func TestRules(t *testing.T) {
	t.Parallel()
	found := 0
	for _, name := range pageNames(t) {
		text, shown := testprog.ReadPage(t, name).Examples()["rules"]
		if !shown || strings.HasPrefix(text, "$ ") {
			continue
		}
		found++
		if _, err := rules.Parse(strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found < 8 {
		t.Errorf("only %d pages have rules", found)
	}
}

// What a page links to is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^):]+\.md)\)|\b(docs/[a-z]+\.md)\b`)
	for _, name := range append(pageNames(t), "CHANGES.md") {
		for _, m := range link.FindAllStringSubmatch(testprog.ReadPage(t, name).Text, -1) {
			to := m[2]
			if m[1] != "" {
				to = path.Join(path.Dir(name), m[1])
			}
			if _, err := os.Stat(filepath.Join(root(t), to)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Each module that go.mod asks for has its line in docs/dependencies.md, and no
// other.
func TestDependencies(t *testing.T) {
	t.Parallel()
	direct, _, _ := strings.Cut(testprog.ReadPage(t, "go.mod").Text, "// indirect")
	asked := regexp.MustCompile(`(?m)^\t(\S+\.\S+/\S+) v\S+$`).FindAllStringSubmatch(direct, -1)
	told := regexp.MustCompile(`(?m)^\| (\S+\.\S+/\S+) \|`).FindAllStringSubmatch(testprog.ReadPage(t, "docs/dependencies.md").Text, -1)
	modules := func(found [][]string) (names []string) {
		for _, m := range found {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return names
	}
	if a, b := modules(asked), modules(told); len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("go.mod asks for %q, the page has %q", a, b)
	}
}
