package qmailmaildir

import (
	"strings"

	"ucspi-go/internal/qmail"
)

// fields returns the header fields that say what the envelope said, as
// qmail-local writes them: Return-Path, RFC 5321 section 4.4, and Delivered-To
// for each recipient.
func fields(e qmail.Envelope) []byte {
	head := append([]byte(nil), "Return-Path: <"+oneLine(qmail.Quote(e.Sender))+">\n"...)
	for _, r := range e.Recipients {
		head = append(head, "Delivered-To: "+oneLine(r)+"\n"...)
	}
	return head
}

// oneLine replaces control bytes, which could end a field, by underscores.
func oneLine(address string) string {
	if strings.IndexFunc(address, isControl) < 0 {
		return address
	}
	b := []byte(address)
	for i, c := range b {
		if isControl(rune(c)) {
			b[i] = '_'
		}
	}
	return string(b)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
