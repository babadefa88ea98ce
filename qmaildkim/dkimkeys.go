package qmaildkim

import (
	"cmp"
	"errors"
	"path/filepath"
	"strings"

	"ucspi-go/internal/qmail"
	"ucspi-go/rules"
)

// errKeysLine is the error of a dkimkeys line that matches but cannot be used.
var errKeysLine = errors.New("line without path or value")

// A keysLine is a line of control/dkimkeys: domain:path:NAME=VALUE,NAME=VALUE.
type keysLine struct {
	text     string // as in the file
	path     string // replaces that of DKIMSIGN or DKIMKEY; empty is "do not sign"
	settings []rules.Var
}

// findKeysLine returns the first line whose domain column, in which "*" stands
// for any text, matches domain. Found is false when there is none. The error
// is errKeysLine.
func findKeysLine(lines []string, domain string) (line keysLine, found bool, err error) {
	for _, s := range lines {
		if KeysLineMatches(s, domain) {
			line, err = parseKeysLine(s)
			return line, true, err
		}
	}
	return line, false, nil
}

// parseKeysLine reads a line. With an error, errKeysLine, it is what was read
// before the fault.
func parseKeysLine(text string) (line keysLine, err error) {
	line.text = text
	_, rest, ok := strings.Cut(text, ":")
	if !ok {
		return line, errKeysLine
	}
	path, settings, _ := strings.Cut(rest, ":")
	line.path = strings.TrimSpace(path)
	for setting := range strings.SplitSeq(settings, ",") {
		if setting == "" {
			continue
		}
		name, value, ok := strings.Cut(setting, "=")
		if !ok || name == "" {
			return line, errKeysLine
		}
		line.settings = append(line.settings, rules.Var{Name: strings.TrimSpace(name), Value: value})
	}
	return line, nil
}

// keysLines returns the lines of control/dkimkeys, or of the file in its
// place; none when it does not exist or is not read.
func (c *Config) keysLines() ([]string, error) {
	if !c.keysFile {
		return nil, nil
	}
	dir, name := filepath.Split(cmp.Or(c.KeysFile, c.Control+"/dkimkeys"))
	lines, _, err := qmail.Control(dir).Lines(name)
	return lines, err
}

// KeysLineMatches reports whether a line of control/dkimkeys is for domain,
// which is one that keys.Domain returned: of a file's lines the first counts.
func KeysLineMatches(line, domain string) bool {
	pattern, _, _ := strings.Cut(line, ":")
	return wildcard(strings.ToLower(strings.TrimSpace(pattern)), domain)
}

// wildcard reports whether pattern, in which "*" stands for any text, is the
// whole of s.
func wildcard(pattern, s string) bool {
	first, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s, rest = s[at+len(part):], after
	}
}
