// Package manual holds the manual pages in man/ to what the programs do: their
// command lines, options, variables, exit codes and examples.
package manual

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// topics are the pages that are about no program.
var topics = []string{"dkimverify", "tcp-environ", "tcp-rules"}

// programPages returns the pages of programs, after seeing that each program
// has one, and that there are no others.
func programPages(t *testing.T) map[string]page {
	t.Helper()
	all := pages(t)
	for program := range loadSource(t).mains {
		if _, ok := all[program]; !ok {
			t.Errorf("%s has no manual page", program)
		}
	}
	for name := range all {
		if _, ok := loadSource(t).mains[name]; !ok && !slices.Contains(topics, name) {
			t.Errorf("%s.?: there is no such program", name)
		}
	}
	maps.DeleteFunc(all, func(name string, _ page) bool { return slices.Contains(topics, name) })
	return all
}

// order is that of the sections; not every page has all.
var order = []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "COMPATIBILITY", "SEE ALSO"}

func TestSections(t *testing.T) {
	t.Parallel()
	programs := programPages(t)
	for name, p := range pages(t) {
		if p.name != name {
			t.Errorf("%s: its name is %q", p.file, p.name)
		}
		at := 0
		for _, h := range p.headings {
			if i := slices.Index(order[at:], h); i >= 0 {
				at += i + 1
			} else {
				t.Errorf("%s: %s is no section, or not in its place", p.file, h)
			}
		}
		needed := []string{"NAME", "DESCRIPTION", "COMPATIBILITY", "SEE ALSO"}
		if _, ok := programs[name]; ok {
			needed = append(needed, "SYNOPSIS", "EXIT STATUS", "EXAMPLES")
		}
		for _, h := range needed {
			if !slices.Contains(p.headings, h) {
				t.Errorf("%s has no %s", p.file, h)
			}
		}
	}
}

// foreign are pages of others that ours name.
var foreign = strings.Fields(`awk(1) cat(1) nsupdate(1) ps(1) sh(1) wait(2) dot-qmail(5) resolv.conf(5) services(5) qmail-local(8) qmail-rspawn(8) qmail-send(8)`)

func TestReferences(t *testing.T) {
	t.Parallel()
	known := make(map[string]bool)
	for name, p := range pages(t) {
		known[name+"("+p.file[len(p.file)-1:]+")"] = true
	}
	used := make(map[string]bool)
	for _, p := range pages(t) {
		for _, r := range p.references() {
			name, section, _ := strings.Cut(r, " ")
			r = name + "(" + section + ")"
			used[r] = true
			if !known[r] && !slices.Contains(foreign, r) {
				t.Errorf("%s names %s, which there is not", p.file, r)
			}
		}
	}
	for _, r := range foreign {
		if !used[r] {
			t.Errorf("no page names %s", r)
		}
	}
}

// "See tcpserver(1)." in the comment of a main is a page.
func TestMainsNamePages(t *testing.T) {
	t.Parallel()
	for program, main := range loadSource(t).mains {
		doc := loadSource(t).docs[main]
		p := pages(t)[program]
		if want := "See " + program + "(" + p.file[len(p.file)-1:] + ")."; !strings.Contains(strings.Join(strings.Fields(doc), " "), want) {
			t.Errorf("%s says\n%swithout %q", main, doc, want)
		}
	}
}

// compare reports what only one of two sets has.
func compare(t *testing.T, what string, got, want map[string]bool) {
	t.Helper()
	for name := range want {
		if !got[name] {
			t.Errorf("%s lacks %s", what, name)
		}
	}
	for name := range got {
		if !want[name] {
			t.Errorf("%s has %s, the program has not", what, name)
		}
	}
}
