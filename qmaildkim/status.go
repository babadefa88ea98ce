package qmaildkim

// dkimStatus returns the DKIM-Status field as qmail-dkim 1.78 writes it:
// the word alone for a good message, else with the text of the letter. Old is
// the letter before a list of domains changed it, 0 when none did.
func dkimStatus(letter, old Letter) string {
	o := outcomes[letter]
	s := "DKIM-Status: " + o.status
	if o.text != "" {
		s += " (" + o.text + ")"
	}
	if old != 0 {
		s += "\n\t(old=" + outcomes[old].old + ")"
	}
	return s + "\n"
}
