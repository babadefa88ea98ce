package keys_test

import (
	"testing"

	"ucspi-go/qmaildkim/keys"
)

// Domain's many refusals are in the table of AuthorDomain, which uses it.
func TestDomain(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"example.com", "example.com"},
		{"Example.COM.", "example.com"},
		{"bücher.example", "xn--bcher-kva.example"},
		{"bücher.example.", "xn--bcher-kva.example"},
		{"a_b.bücher.example", "a_b.xn--bcher-kva.example"},
		{"-a.r3---sn.bücher.example", "-a.r3---sn.xn--bcher-kva.example"},
		{"1.example", "1.example"},
		{"", ""}, {".", ""}, {"..", ""}, {"a..b", ""}, {".a", ""}, {"a/b", ""}, {"a b", ""}, {"a\x00", ""},
		{"192.0.2.1", ""}, {"%", ""}, {"*.example.com", ""}, {"xn--\xff", ""}, {"\u200e", ""}, {"．", ""}, {"a．．b", ""},
	}
	for _, tt := range tests {
		if got, ok := keys.Domain(tt.in); got != tt.want || ok != (tt.want != "") {
			t.Errorf("Domain(%q) = %q, %t, want %q", tt.in, got, ok, tt.want)
		}
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, want string }{
		{"control/domainkeys/%/default", "default"},
		{"control/domainkeys/%/default//", "default"},
		{"/etc/keys/20260101", "20260101"},
		{"rsa.private_default", "rsa.private_default"},
		{"control/domainkeys/%", "example.com"},
		{"control/domainkeys/%-2026", "example.com-2026"},
		{"control/Sel.Two", "Sel.Two"},
		{"", ""}, {"/", ""}, {"control/a b", ""}, {"control/..", ""}, {"control/a;b", ""},
	}
	for _, tt := range tests {
		got, ok := keys.Selector(tt.pattern, "example.com")
		if ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("Selector(%q) = %q, %t, want %q", tt.pattern, got, ok, tt.want)
		}
	}
}
