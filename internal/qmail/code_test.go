package qmail

import (
	"strings"
	"testing"
)

func TestReplyWith(t *testing.T) {
	long := strings.Repeat("x", 250)
	tests := []struct {
		name       string
		code       Code
		words      string
		incomplete bool
		want       string
	}{
		{"success", Queued, "", false, ""},
		{"success with words", Queued, "Dno", false, ""},
		{"success of half a message", Queued, "", true, "451 qq read error (#4.3.0)"},
		{"failure of half a message", Permanent, "", true, "554 mail server permanently rejected message (#5.3.0)"},
		{"permanent words", Custom, "Dspam (#5.7.1)", false, "554 spam (#5.7.1)"},
		{"temporary words", Custom, "Zlater (#4.7.1)", false, "451 later (#4.7.1)"},
		{"any other letter is temporary", Custom, "Klater", false, "451 later"},
		{"old code", CustomOld, "Dspam", false, "554 spam"},
		{"two bytes are no words", Custom, "Dx", false, "451 qq temporary problem (#4.3.0)"},
		{"three bytes are", Custom, "Dxy", false, "554 xy"},
		{"no words", CustomOld, "", false, "451 qq temporary problem (#4.3.0)"},
		{"words without the code", Permanent, "Zlater", false, "554 mail server permanently rejected message (#5.3.0)"},
		{"line end of echo", Custom, "Dspam\r\n", false, "554 spam"},
		{"a second reply", Custom, "Zx\r\n250 ok\x00\x7f\tz", false, "451 x??250 ok???z"},
		{"other bytes", Custom, "Dr\xc3\xa9ponse\xff", false, "554 r\xc3\xa9ponse\xff"},
		{"long", Custom, "D" + long, false, "554 " + long},
	}
	for _, tt := range tests {
		if got := tt.code.ReplyWith(tt.words, tt.incomplete); got != tt.want {
			t.Errorf("%s: Code(%d).ReplyWith(%q, %v) = %q, want %q", tt.name, tt.code, tt.words, tt.incomplete, got, tt.want)
		}
	}
}
