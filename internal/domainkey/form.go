package domainkey

import (
	"strconv"
	"strings"

	"ucspi-go/qmaildkim/keys"
)

// ttl is how long resolvers may keep a record that nsupdate adds, in seconds.
// The other forms leave it to the zone, or to tinydns-data.
const ttl = 3600

// A change is a TXT record as it is to be in the DNS.
type change struct {
	name    string // without its final dot
	text    string
	replace bool // what is at the name goes; else nothing may be there
}

// A form writes a change for one kind of name server, with line ends.
type form func(change) string

var forms = map[string]form{"bind": bind, "tinydns": tinydns, "nsupdate": nsupdate}

// bind writes a line of a zone file, as BIND, NSD, Knot and others read it.
func bind(c change) string { return keys.ZoneLine(c.name, c.text) + "\n" }

// tinydns writes a line of tinydns's data file. The text is one field, which
// tinydns-data splits into strings itself. What would end the field, or be
// lost at the end of a line, is written as a backslash and three octal digits.
func tinydns(c change) string {
	var b strings.Builder
	b.WriteString("'" + c.name + ":")
	for i := range len(c.text) {
		switch t := c.text[i]; {
		case t < ' ', t == ':', t == '\\', t >= 0x7f, t == ' ' && i == len(c.text)-1:
			b.Write([]byte{'\\', '0' + t>>6, '0' + t>>3&7, '0' + t&7})
		default:
			b.WriteByte(t)
		}
	}
	return b.String() + "\n"
}

// nsupdate writes commands for nsupdate. A key that is new must not take the
// place of a record that somebody else has published: the server refuses the
// update then.
func nsupdate(c change) string {
	name := c.name + "."
	before := "prereq nxrrset " + name + " TXT\n"
	if c.replace {
		before = "update delete " + name + " TXT\n"
	}
	return before + "update add " + name + " " + strconv.Itoa(ttl) + " TXT " + keys.Quoted(c.text) + "\nsend\n"
}
