package tcpserver

import "strings"

// tally counts by label.
type tally map[string]uint64

// mostLabels bounds a tally whatever a rules file holds. It is more than there
// are exit codes or signals.
const mostLabels = 300

// other counts for the labels that came when a tally was full.
const other = "other"

func (t tally) add(label string) {
	label = visible(label)
	if _, known := t[label]; !known && len(t) >= mostLabels {
		label = other
	}
	t[label]++
}

// visible returns s with a backslash and three octal digits, as names from the
// DNS have them, for each byte that is a blank, a control, not ASCII or a
// backslash, and cut to maxName bytes and "...".
func visible(s string) string {
	cut := s[:min(len(s), maxName)]
	var b strings.Builder
	for i := range len(cut) {
		c := cut[i]
		if c > ' ' && c <= '~' && c != '\\' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
	}
	if len(s) > maxName {
		b.WriteString("...")
	}
	return b.String()
}
