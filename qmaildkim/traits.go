package qmaildkim

import "bytes"

// Traits are what is in a body that a relay may have changed, or a signer read
// otherwise. They are found in what is written to them.
type traits struct {
	lf, crlf int64   // line ends, and those of them that are CRLF
	bareCR   crWatch // a CR without LF
	blanks   bool    // white space before a line end
	dashes   bool    // a line "--"
	from     bool    // a line that begins with ">"
	dots     bool    // a line that begins with ".."

	last []byte // the end of what was written
}

// traitText is no shorter than what is searched for.
const traitText = len("\n--\r\n")

func (t *traits) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if t.last == nil {
		t.last = []byte("\n")
	}
	t.lf += int64(bytes.Count(p, []byte("\n")))
	t.crlf += int64(bytes.Count(p, []byte("\r\n")))
	if p[0] == '\n' && t.last[len(t.last)-1] == '\r' {
		t.crlf++
	}
	t.bareCR.Write(p)
	t.search(append(t.last, p[:min(len(p), traitText)]...))
	t.search(p)
	last := append(t.last, p[max(0, len(p)-traitText):]...)
	t.last = bytes.Clone(last[max(0, len(last)-traitText):])
	return len(p), nil
}

func (t *traits) search(p []byte) {
	find := func(found *bool, texts ...string) {
		for _, text := range texts {
			*found = *found || bytes.Contains(p, []byte(text))
		}
	}
	find(&t.blanks, " \n", "\t\n", " \r\n", "\t\r\n")
	find(&t.dashes, "\n--\n", "\n--\r\n")
	find(&t.from, "\n>")
	find(&t.dots, "\n..")
}
