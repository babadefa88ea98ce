package qmaildkim

import (
	"slices"
	"strings"
)

// maxHeaderList is the length in bytes up to which the header list (h=) may
// grow. go-msgauth writes it as one line, and RFC 5322 section 2.1.1 allows
// 998 bytes for that.
const maxHeaderList = 900

// signedNames are the fields that are signed, as RFC 6376 section 5.4.1
// recommends, with those that bulk senders must sign; never trace fields,
// Bcc, Return-Path, X-* or earlier signatures. Over says that one instance
// more than there is goes into the header list, so that none can be added
// (section 8.15).
var signedNames = []struct {
	name string
	over bool
}{
	{"From", true},
	{"Subject", true},
	{"To", true},
	{"Cc", true},
	{"Date", true},
	{"Reply-To", true},
	{"Message-ID", true},
	{"MIME-Version", true},
	{"Content-Type", true},
	{"Content-Transfer-Encoding", true},
	{"Sender", false},
	{"In-Reply-To", false},
	{"References", false},
	{"Content-ID", false},
	{"Content-Description", false},
	{"Resent-Date", false},
	{"Resent-From", false},
	{"Resent-Sender", false},
	{"Resent-To", false},
	{"Resent-Cc", false},
	{"Resent-Message-ID", false},
	{"List-Id", false},
	{"List-Help", false},
	{"List-Unsubscribe", false},
	{"List-Unsubscribe-Post", false},
	{"List-Subscribe", false},
	{"List-Post", false},
	{"List-Owner", false},
	{"List-Archive", false},
}

// headerList returns the header list of a signature and the fields that it
// covers, in message order. A name is left out when a prefix of it is in
// exclude, in lower case, except From, which must be signed; and when its
// instances would make the list too long, which full tells.
func headerList(h *header, exclude []string) (list []string, fields []field, full bool) {
	count := make(map[string]int)
	for _, f := range h.fields {
		count[strings.ToLower(f.name)]++
	}
	size := 0
	signed := make(map[string]bool)
	for _, s := range signedNames {
		lower := strings.ToLower(s.name)
		n := count[lower]
		if n == 0 || s.name != "From" && excluded(lower, exclude) {
			continue
		}
		if s.over {
			n++
		}
		if size += n * (len(s.name) + 1); size > maxHeaderList {
			size -= n * (len(s.name) + 1)
			full = true
			continue
		}
		list = append(list, slices.Repeat([]string{s.name}, n)...)
		signed[lower] = true
	}
	for _, f := range h.fields {
		if signed[strings.ToLower(f.name)] {
			fields = append(fields, f)
		}
	}
	return list, fields, full
}

func excluded(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
