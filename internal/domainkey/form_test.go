package domainkey

import (
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	t.Parallel()
	const name = "s._domainkey.example.com"
	long := strings.Repeat("a", 255) + strings.Repeat("b", 255) + "c"
	split := `"` + long[:255] + `" "` + long[255:510] + `" "c"`
	for _, tt := range []struct {
		form string
		c    change
		want string
	}{
		{"bind", change{name, "v=DKIM1; p=", true}, name + `. IN TXT ("v=DKIM1; p=")` + "\n"},
		{"bind", change{name, long, false}, name + ". IN TXT (" + split + ")\n"},
		{"bind", change{name, long[:255], false}, name + `. IN TXT ("` + long[:255] + `")` + "\n"},
		{"tinydns", change{name, "v=DKIM1; p=", true}, "'" + name + ":v=DKIM1; p=\n"},
		{"tinydns", change{name, long, false}, "'" + name + ":" + long + "\n"},
		{"tinydns", change{name, "t=y:s\\\n\xc3 n= ", false}, "'" + name + `:t=y\072s\134\012\303 n=\040` + "\n"},
		{"nsupdate", change{name, "v=DKIM1; p=", true},
			"update delete " + name + ". TXT\nupdate add " + name + `. 3600 TXT "v=DKIM1; p="` + "\nsend\n"},
		{"nsupdate", change{name, long, false},
			"prereq nxrrset " + name + ". TXT\nupdate add " + name + ". 3600 TXT " + split + "\nsend\n"},
	} {
		if got := forms[tt.form](tt.c); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.form, got, tt.want)
		}
	}
}
