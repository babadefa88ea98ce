package ucspi

// Printable returns text of strangers as it may stand in a line for people:
// printable ASCII, with a question mark for every other byte, cut to limit
// bytes.
func Printable(s string, limit int) string {
	b := []byte(s[:min(len(s), limit)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
