package qmaildkim

import (
	"slices"
	"strings"
)

// maxKeyRecord is the size in bytes from which a key record is not read:
// sixteen times an RSA-2048 record. A larger RSA key would cost seconds to
// use. Today's qmail-dkim has the same limit.
const maxKeyRecord = 4096

// A keyRecord holds those parts of a published key that go-msgauth neither
// applies nor tells (RFC 6376 section 3.6.1).
type keyRecord struct {
	testing bool // t=y: a failed signature counts as none
	strict  bool // t=s: i= must not be in a subdomain of d=
}

// parseKeyRecord reads the TXT text of a key. A malformed record has no
// flags: the library says what is wrong with it.
func parseKeyRecord(text string) keyRecord {
	tags, _ := parseTags(text)
	flags := tags.list("t")
	return keyRecord{
		testing: slices.Contains(flags, "y"),
		strict:  slices.Contains(flags, "s"),
	}
}

// recordBlanks are allowed inside p= but taken for garbage by go-msgauth.
var recordBlanks = strings.NewReplacer("\t", "", "\r", "", "\n", "")
