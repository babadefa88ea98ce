package ruleslint

import (
	"bytes"
	"strings"

	"ucspi-go/rules"
)

// byteOrderMark returns text without the mark that some editors put first.
func (l *linter) byteOrderMark(text []byte) []byte {
	rest, found := bytes.CutPrefix(text, []byte("\xef\xbb\xbf"))
	if found {
		l.line = 1
		l.find(kindBytes, "the file begins with a byte order mark, which spoils its first line; save it as ASCII or as UTF-8 without the mark")
	}
	return rest
}

// lineEnds returns text with plain line ends.
func (l *linter) lineEnds(text []byte) []byte {
	at := bytes.Index(text, []byte("\r\n"))
	if at < 0 {
		return bytes.TrimSuffix(text, []byte("\r"))
	}
	l.line = 1 + bytes.Count(text[:at], []byte("\n"))
	l.find(kindCRLF, "lines end in CR LF, and tcprules refuses a rule that ends in CR; convert the file: delcr < OLD > NEW")
	return bytes.TrimSuffix(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"))
}

// foreignBytes looks for what editors, word processors and web pages put in
// place of the ASCII that tcprules needs. It reports whether the line cannot
// mean what it shows.
func (l *linter) foreignBytes(line rules.Line) bool {
	if !foreign(line.Text) {
		return false
	}
	for _, quote := range []string{"“", "”", "„", "‟", "‘", "’", "«", "»", "\x93", "\x94"} {
		if strings.Contains(line.Text, "="+quote) {
			l.find(kindBytes, "the quotes are typographic ones, which tcprules does not know as such; write plain quotes: \"")
			return true
		}
	}
	switch {
	case strings.Contains(line.Text, "\u00a0"):
		l.find(kindBytes, "there is a no-break space (\\xc2\\xa0), as web pages have it, in the line; type the line again")
		return true
	case foreign(line.Rule.Address):
		l.find(kindBytes, show(line.Rule.Address)+" matches nobody: it has bytes beyond ASCII; type the address again (the DNS has international names as xn--...)")
		return true
	case line.Kind == rules.LineBad:
		return false
	}
	for _, v := range line.Rule.Env {
		if foreign(v.Name) {
			l.find(kindBytes, "the name "+show(v.Name)+" has bytes beyond ASCII; type it again")
			return true
		}
	}
	for _, v := range line.Rule.Env {
		if foreign(v.Value) {
			l.find(kindValue, "the value of "+v.Name+" has bytes beyond ASCII, which clients and logs may not be able to show; write it in ASCII")
		}
	}
	return false
}

// foreign reports whether text has bytes that are neither printable ASCII nor
// a tab.
func foreign(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c > '~' }) >= 0
}
