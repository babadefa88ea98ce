package testprog

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Page is a document of the project. Its examples are fenced blocks that a
// comment names, such as
//
//	<!-- signed -->
//	```
//	$ mailpath 192.0.2.10 message
//	what it prints
//	```
type Page struct {
	Name string // from the top of the source tree, such as docs/keys.md
	Text string

	file string
}

// ReadPage returns the page of that name.
func ReadPage(t testing.TB, name string) Page {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, name)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return Page{Name: name, Text: string(text), file: file}
}

// example is the comment and the fences around the text of an example.
var example = regexp.MustCompile("(?ms)^<!-- ([a-z0-9._-]+) -->\n```[a-z]*\n(.*?)^```$")

// Examples returns the texts of the page's examples by their names.
func (p Page) Examples() map[string]string {
	texts := make(map[string]string)
	for _, m := range example.FindAllStringSubmatch(p.Text, -1) {
		texts[m[1]] = m[2]
	}
	return texts
}

// Example returns the text of one example.
func (p Page) Example(t testing.TB, name string) string {
	t.Helper()
	text := p.Examples()[name]
	if text == "" {
		t.Fatalf("%s has no example %s", p.Name, name)
	}
	return text
}

// Expect fails the test if the example is not what was got; with $UPDATE_PAGE
// set it writes it anew instead.
func (p *Page) Expect(t testing.TB, name, got string) {
	t.Helper()
	if p.Example(t, name) != got {
		p.differs(t, name, got, "not the same")
	}
}

// ExpectLike is Expect for what differs from run to run, as Same compares.
func (p *Page) ExpectLike(t testing.TB, name, got string) {
	t.Helper()
	if at := Same(p.Example(t, name), got); at != "" {
		p.differs(t, name, got, at)
	}
}

func (p *Page) differs(t testing.TB, name, got, at string) {
	t.Helper()
	want := p.Example(t, name)
	if os.Getenv("UPDATE_PAGE") == "" {
		t.Errorf("%s, %s: %s\nthe page shows\n%s\nand what is printed is\n%s", p.Name, name, at, want, got)
		return
	}
	m := regexp.MustCompile("(?ms)^<!-- " + regexp.QuoteMeta(name) + " -->\n```[a-z]*\n").FindStringIndex(p.Text)
	p.Text = p.Text[:m[1]] + got + p.Text[m[1]+len(want):]
	if err := os.WriteFile(p.file, []byte(p.Text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Same compares what a page shows with what was printed, apart from what
// Steady replaces, and returns the first line of the page that is not there,
// or "". A line "..." of the page stands for any lines, and one that ends in
// "..." for all that begin so.
func Same(want, got string) (differs string) {
	lines := strings.Split(strings.TrimSuffix(Steady(got), "\n"), "\n")
	skip := false
	for line := range strings.Lines(want) {
		line = strings.TrimSuffix(line, "\n")
		if line == "..." {
			skip = true
			continue
		}
		prefix, cut := strings.CutSuffix(Steady(line), "...")
		same := func() bool { return lines[0] == prefix || cut && strings.HasPrefix(lines[0], prefix) }
		for skip && len(lines) > 0 && !same() {
			lines = lines[1:]
		}
		if len(lines) == 0 || !same() {
			return "not printed there: " + line
		}
		lines, skip = lines[1:], false
	}
	if len(lines) > 0 && !skip && got != "" {
		return "not shown: " + lines[0]
	}
	return ""
}

// Steady replaces what differs from run to run: keys and signatures, numbers of
// processes, ports, times, and the user who has run the test.
func Steady(text string) string {
	for _, r := range unsteady {
		text = r.old.ReplaceAllString(text, r.new)
	}
	return text
}

var unsteady = []struct {
	old *regexp.Regexp
	new string
}{
	{regexp.MustCompile(`[A-Za-z0-9+/]{41,}=*`), "BASE64"},
	{regexp.MustCompile(`header\.b="?[A-Za-z0-9+/]+"?`), "header.b=BASE64"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`), "DATE"},
	// A process number may be short: that of a machine just started is.
	{regexp.MustCompile(`(tcpserver: (?:ok|pid|end|deny) |\bqp[ -]|\bpid=)[0-9]+\b`), "${1}N"},
	{regexp.MustCompile(`\b[0-9]{4,}\b`), "N"},
	{regexp.MustCompile(`, owner \w+`), ", owner USER"},
	{regexp.MustCompile(`(?m)^domainkey: warning: the key belongs to root.*\n`), ""},
}
