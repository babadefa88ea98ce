package domainkey

import (
	"slices"
	"strings"
	"testing"
)

func TestKeysFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, before, after string }{
		{"empty", "", "example.com:NEW\n"},
		{"other lines", "# ours\n\nexample.org:a:X=1\n", "# ours\n\nexample.org:a:X=1\nexample.com:NEW\n"},
		{"no line end", "example.org:a", "example.org:a\nexample.com:NEW\n"},
		{"own line", "a.example:a\nexample.com:old\nb.example:b\n", "a.example:a\nexample.com:NEW\nb.example:b\n"},
		{"its settings", "example.com:old:DKIMSIGNOPTIONS=-c s -x 60,EXCLUDE_DKIMSIGN=X:Y\n", "example.com:NEW:DKIMSIGNOPTIONS=-c s -x 60,EXCLUDE_DKIMSIGN=X:Y\n"},
		{"its form", " Example.COM : old :A=1 \t \nx:y", " Example.COM :NEW:A=1 \t \nx:y"},
		{"not the last byte", "example.com:old", "example.com:NEW"},
		{"CR", "example.com:old\r\n", "example.com:NEW\n"},
		{"signed no more", "example.com:\n", "example.com:NEW\n"},
		{"signed no more, with settings", "example.com::A=1\n", "example.com:NEW:A=1\n"},
		{"no column", "example.com\n", "example.com:NEW\n"},
		{"a comment", "#example.com:old\n", "#example.com:old\nexample.com:NEW\n"},
		{"wildcard after", "example.com:old\n*:all\n", "example.com:NEW\n*:all\n"},
		{"wildcard before", "a.example:a\n*.com:com:A=1 \n*:all\n", "a.example:a\nexample.com:NEW:A=1\n*.com:com:A=1 \n*:all\n"},
		{"wildcard before its own", "*:all\nexample.com:old:B=2\n", "example.com:NEW\n*:all\nexample.com:old:B=2\n"},
		{"twice", "example.com:old\nexample.com:older\n", "example.com:NEW\nexample.com:older\n"},
		{"a subdomain", "x.example.com:x\n", "x.example.com:x\nexample.com:NEW\n"},
	} {
		f, i := parseKeysFile(tt.before).with("example.com", "NEW")
		if got := f.String(); got != tt.after || f.find("example.com") != i {
			t.Errorf("%s: %q, line %d; want %q", tt.name, got, i, tt.after)
		}
	}
}

func TestDeadLines(t *testing.T) {
	t.Parallel()
	f, i := parseKeysFile("#\n*:all\nexample.com:old\nEXAMPLE.com:older\n*.com:x\n").with("example.com", "NEW")
	if got := f.dead("example.com", i); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("%d", got)
	}
}

// The new line counts, all else stays, and a second time nothing changes.
func FuzzKeysFile(f *testing.F) {
	f.Add("# c\nexample.com:a:B=1\n*:x\n", "example.com")
	f.Add("*.com:x:A=2\n\nexample.com", "example.com")
	f.Fuzz(func(t *testing.T, text, domain string) {
		if domain != "example.com" && domain != "x.example.com" {
			domain = "example.com"
		}
		const path = "control/domainkeys/%/next"
		before := parseKeysFile(text)
		after, at := before.with(domain, path)
		if after.find(domain) != at || !after.own(at, domain) {
			t.Fatalf("line %d of %q does not count", at, after)
		}
		_, rest, _ := strings.Cut(after.line(at), ":")
		if got, _, _ := strings.Cut(rest, ":"); got != path {
			t.Fatalf("path %q", got)
		}
		others := slices.Delete(slices.Clone(after), at, at+1)
		switch {
		case len(after) == len(before):
			before = slices.Delete(before, at, at+1)
		case at == len(before) && at > 0:
			others[at-1] = strings.TrimSuffix(others[at-1], "\n")
			before[at-1] = strings.TrimSuffix(before[at-1], "\n")
		}
		if !slices.Equal(others, before) {
			t.Fatalf("other lines %q, were %q", others, before)
		}
		if again, _ := after.with(domain, path); again.String() != after.String() {
			t.Fatalf("%q, and then %q", after, again)
		}
	})
}
