package domainkey

import (
	"slices"
	"strings"

	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim"
)

// A keysFile is the text of control/dkimkeys: lines with their ends.
type keysFile []string

func parseKeysFile(text string) keysFile { return slices.Collect(strings.Lines(text)) }

func (f keysFile) String() string { return strings.Join(f, "") }

// find returns the index of the line that counts for a domain, -1 for none.
func (f keysFile) find(domain string) int {
	return slices.IndexFunc(f, func(text string) bool {
		line, counts := qmail.ControlLine(text)
		return counts && qmaildkim.KeysLineMatches(line, domain)
	})
}

// own reports whether the line at an index is for a domain alone: its column
// is the domain, in whatever case.
func (f keysFile) own(i int, domain string) bool {
	pattern, _, _ := strings.Cut(f.line(i), ":")
	return strings.EqualFold(strings.TrimSpace(pattern), domain)
}

func (f keysFile) line(i int) string {
	line, _ := qmail.ControlLine(f[i])
	return line
}

// with returns a file in which the key of a domain is that at path, and the
// index of the line that says so. The domain's own line keeps its place and
// its settings. Where a line with a wildcard counts so far, one with its
// settings is put before it; where none does, one is put at the end. All
// other lines stay byte for byte.
func (f keysFile) with(domain, path string) (changed keysFile, index int) {
	changed = slices.Clone(f)
	i := f.find(domain)
	switch {
	case i < 0:
		if n := len(f); n > 0 && !strings.HasSuffix(f[n-1], "\n") {
			changed[n-1] += "\n"
		}
		return append(changed, domain+":"+path+"\n"), len(f)
	case f.own(i, domain):
		changed[i] = replacePath(f[i], f.line(i), path)
		return changed, i
	}
	line := replacePath(f.line(i), f.line(i), path)
	_, rest, _ := strings.Cut(line, ":")
	return slices.Insert(changed, i, domain+":"+rest+"\n"), i
}

// replacePath returns text, which begins with line, with another path.
func replacePath(text, line, path string) string {
	column, rest, _ := strings.Cut(line, ":")
	_, settings, more := strings.Cut(rest, ":")
	if more {
		settings = ":" + settings
	}
	return column + ":" + path + settings + text[len(line):]
}

// dead returns the indexes of the domain's own lines that never count, since
// the line at an index does.
func (f keysFile) dead(domain string, counts int) (lines []int) {
	for i := range f {
		if line, ok := qmail.ControlLine(f[i]); ok && i != counts && f.own(i, domain) && qmaildkim.KeysLineMatches(line, domain) {
			lines = append(lines, i)
		}
	}
	return lines
}
