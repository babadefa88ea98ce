package rblsmtpd

// maxText is how much of a text reaches the client, in bytes.
const maxText = 200

// message returns the reply that refuses mail, without its line end.
func (c *check) message() string {
	code := "451 "
	if c.verdict == bounced && !c.mustNotBounce {
		code = "553 "
	}
	return clean(code + c.text[:min(len(c.text), maxText)])
}

// clean returns s with ? for what is not printable ASCII.
func clean(s string) string {
	b := []byte(s)
	for i, ch := range b {
		if ch < ' ' || ch > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
