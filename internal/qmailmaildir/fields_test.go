package qmailmaildir

import (
	"bytes"
	"strings"
	"testing"

	"ucspi-go/internal/qmail"
)

func TestFields(t *testing.T) {
	tests := []struct {
		sender     string
		recipients []string
		want       string
	}{
		{"", nil, "Return-Path: <>\n"},
		{"a@b", []string{"c@d"}, "Return-Path: <a@b>\nDelivered-To: c@d\n"},
		{"a b@c", []string{"d e@f", "d e@f"}, "Return-Path: <\"a b\"@c>\nDelivered-To: d e@f\nDelivered-To: d e@f\n"},
		{"ユーザー@例え.jp", []string{"用户@例子.中国", "\xff\xfe@x"}, "Return-Path: <ユーザー@例え.jp>\nDelivered-To: 用户@例子.中国\nDelivered-To: \xff\xfe@x\n"},
		{"a\nBcc: x@y", []string{"a\r\n\nb\x00\x7f", ""}, "Return-Path: <\"a_Bcc: x\"@y>\nDelivered-To: a___b__\nDelivered-To: \n"},
	}
	for _, tt := range tests {
		if got := string(fields(qmail.Envelope{Sender: tt.sender, Recipients: tt.recipients})); got != tt.want {
			t.Errorf("fields(%q, %q) = %q, want %q", tt.sender, tt.recipients, got, tt.want)
		}
	}
}

// Whatever the envelope says, it makes one field for each address and no more,
// and the message below is not touched.
func FuzzDeliver(f *testing.F) {
	f.Fuzz(func(t *testing.T, message, envelope []byte) {
		e, err := qmail.ReadEnvelope(bytes.NewReader(envelope))
		t.Chdir(newMaildir(t))
		d := &delivery{unique: unique{seq: 1}}
		code := d.deliver(bytes.NewReader(message), bytes.NewReader(envelope))
		delivered := files(t, ".", "new")
		if (code == nil) != (err == nil) || (len(delivered) == 1) != (code == nil) || len(files(t, ".", "tmp")) > 0 {
			t.Fatalf("envelope %q: %v, files %q", envelope, code, delivered)
		}
		for _, text := range delivered {
			head, ok := strings.CutSuffix(text, string(message))
			if !ok || !strings.HasPrefix(head, "Return-Path: <") || strings.Count(head, "\nDelivered-To: ") != len(e.Recipients) ||
				strings.Count(head, "\n") != len(e.Recipients)+1 || !strings.HasSuffix(head, "\n") || strings.ContainsAny(head, "\r\x00") {
				t.Fatalf("envelope %q: %q", envelope, text)
			}
		}
	})
}
