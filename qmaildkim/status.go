package qmaildkim

// dkimStatus returns the DKIM-Status field as qmail-dkim 1.78 writes it:
// the word alone for a good message, else with the text of the letter.
func dkimStatus(letter Letter) string {
	o := outcomes[letter]
	if o.text == "" {
		return "DKIM-Status: " + o.status + "\n"
	}
	return "DKIM-Status: " + o.status + " (" + o.text + ")\n"
}
