package manual

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A page is a manual page in mdoc, taken apart as far as the tests compare
// it.
type page struct {
	file     string   // "tcpserver.1"
	name     string   // as the page gives it
	headings []string // of the sections, in their order
	sections map[string][]string
}

// pages returns every page of the project by its name.
func pages(t *testing.T) map[string]page {
	t.Helper()
	files, err := filepath.Glob("../../man/*.[1-8]")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	all := make(map[string]page)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := page{file: filepath.Base(file), sections: make(map[string][]string)}
		heading := ""
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if h, ok := strings.CutPrefix(line, ".Sh "); ok {
				heading = h
				p.headings = append(p.headings, h)
				continue
			}
			if name, ok := strings.CutPrefix(line, ".Nm "); ok && heading == "NAME" {
				p.name = name
			}
			p.sections[heading] = append(p.sections[heading], line)
		}
		all[strings.TrimSuffix(p.file, filepath.Ext(p.file))] = p
	}
	return all
}

var escapes = strings.NewReplacer(`\e`, `\`, `\(aq`, `'`, `\(dq`, `"`, `\&`, "", `\-`, "-")

// words splits the arguments of a macro line. Quotes keep blanks.
func words(line string) (list []string) {
	for _, m := range regexp.MustCompile(`"((?:[^"]|"")*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		list = append(list, escapes.Replace(m[1]+m[2]))
	}
	return list
}

// synopsis returns the command line as usage messages have it.
func (p page) synopsis() string {
	var parts []string
	for _, line := range p.sections["SYNOPSIS"] {
		macro := words(strings.TrimPrefix(line, "."))
		if macro[0] == "Nm" {
			if len(parts) > 0 {
				parts = append(parts, "|")
			}
			macro = append([]string{"Ar", p.name}, macro[1:]...)
		}
		parts = append(parts, flatten(macro)...)
	}
	return strings.Join(parts, " ")
}

func flatten(macro []string) (parts []string) {
	flag := false
	for i, w := range macro {
		switch w {
		case "Op":
			return append(append(append(parts, "["), flatten(macro[i+1:])...), "]")
		case "Fl":
			flag = true
		case "Ar", "Cm":
			flag = false
		default:
			if flag {
				w = "-" + w
			}
			parts = append(parts, w)
		}
	}
	return parts
}

// options returns the letters that OPTIONS explains, each with ":" behind it
// if it takes an argument.
func (p page) options() map[string]bool {
	list := make(map[string]bool)
	for _, line := range p.sections["OPTIONS"] {
		item, ok := strings.CutPrefix(line, ".It ")
		if !ok {
			continue
		}
		macro := append(words(item), "")
		for i, w := range macro[:len(macro)-1] {
			if w == "Fl" {
				option := macro[i+1]
				if after := macro[i+2:]; len(after) > 0 && (after[0] == "Ar" || after[0] == "Cm") {
					option += ":"
				}
				list[option] = true
			}
		}
	}
	return list
}

// environment returns the variables that are read and those that are set, which
// stand under a heading of that name.
func (p page) environment() (reads, sets map[string]bool) {
	reads, sets = make(map[string]bool), make(map[string]bool)
	into := reads
	for _, line := range p.sections["ENVIRONMENT"] {
		if heading, ok := strings.CutPrefix(line, ".Ss "); ok {
			if into = reads; heading == "Set" {
				into = sets
			}
		}
		for _, name := range variables(line) {
			into[name] = true
		}
	}
	return reads, sets
}

// variables returns those that a line of a list is about.
func variables(line string) (names []string) {
	item, ok := strings.CutPrefix(line, ".It ")
	if !ok {
		return nil
	}
	macro := words(item)
	for i, w := range macro {
		if w == "Ev" && i+1 < len(macro) {
			names = append(names, macro[i+1])
		}
	}
	return names
}

// exits returns the exit codes that the page explains, as decimal numbers.
func (p page) exits() map[string]bool {
	list := make(map[string]bool)
	for _, line := range p.sections["EXIT STATUS"] {
		if item, ok := strings.CutPrefix(line, ".It "); ok {
			for _, w := range words(item) {
				if regexp.MustCompile(`^\d+$`).MatchString(w) {
					list[w] = true
				}
			}
		}
	}
	return list
}

// references returns the pages that this one names, as "name section".
func (p page) references() (list []string) {
	for _, lines := range p.sections {
		for _, line := range lines {
			macro := words(strings.TrimPrefix(line, "."))
			if i := slices.Index(macro, "Xr"); i >= 0 && strings.HasPrefix(line, ".") {
				list = append(list, macro[i+1]+" "+macro[i+2])
			}
		}
	}
	return list
}

// examples returns the literal displays of EXAMPLES as the reader sees them.
func (p page) examples() (list []string) {
	inside := false
	for _, line := range p.sections["EXAMPLES"] {
		switch {
		case strings.HasPrefix(line, ".Bd -literal"):
			inside = true
			list = append(list, "")
		case line == ".Ed":
			inside = false
		case inside:
			list[len(list)-1] += escapes.Replace(line) + "\n"
		}
	}
	return list
}
