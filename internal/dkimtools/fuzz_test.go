package dkimtools

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"ucspi-go/internal/dns"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// FuzzReport: above the message as it was received, the report holds lines of
// printable ASCII alone, whatever the message says.
func FuzzReport(f *testing.F) {
	f.Add([]byte("From: joe@example.com\n\nx\n"), "v=DKIM1; p=")
	f.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=\x1b[2J; s=a\rb; h=from; bh=AAAA; b=AAAA\nFrom: <\"a\r\nb\"@c>\nReceived: from x (HELO \x07) (a@b)\n\n"), "\x00\n")
	f.Add([]byte("Return-Path: <\xff\xfe>\nFrom: a@b, c@d\nDKIM-Signature: d=a; d=b\n"), "")
	f.Fuzz(func(t *testing.T, message []byte, text string) {
		config, err := qmaildkim.ConfigFrom(rules.Environ{"QMAILHOME=/nonexistent", "DKIMDRYRUN="})
		if err != nil {
			t.Fatal(err)
		}
		r := &report{me: "mail.example.com", keys: dns.NewAnswers(func(context.Context, string) ([]string, error) { return []string{text}, nil })}
		filter := &qmaildkim.Filter{Config: config, LookupTXT: r.keys.LookupTXT}
		if r.Examined, err = filter.Examine(t.Context(), bytes.NewReader(message)); err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var out bytes.Buffer
		if err := r.write(&out, -1); err != nil {
			t.Fatal(err)
		}
		above, found := strings.CutSuffix(out.String(), string(message))
		if !found {
			t.Fatalf("the message does not stand at the end of\n%s", out.Bytes())
		}
		for i, c := range []byte(above) {
			if c != '\n' && (c < ' ' || c > '~') {
				t.Fatalf("byte %q at %d of\n%s", c, i, above)
			}
		}
		if n := strings.Count(above, "DKIM check details:"); n != len(r.signatures()) {
			t.Fatalf("%d sections for %d signatures", n, len(r.signatures()))
		}
	})
}
