package qmailsmtpd

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	tests := []struct{ arg, want string }{
		{"FROM:<a@b>", "a@b"},
		{"FROM:<>", ""},
		{"", ""},
		{"FROM:", ""},
		{"FROM:<a@b> SIZE=100 BODY=8BITMIME", "a@b"},
		{"FROM: <a@b>", "a@b"},
		{"FROM: Some One <a@b>", "a@b"},
		{"x<a@b>", "a@b"},
		{"FROM:<a@b", "a@b"},
		{"FROM:<a b@c>", "a b@c"},
		{"FROM:a@b", "a@b"},
		{"FROM:  a@b SIZE=1", "a@b"},
		{"FROM:a@b>", "a@b>"},
		{"a@b", ""},
		{"FROM:<@r1,@r2:a@b>", "a@b"},
		{"FROM:@r1:a@b", "a@b"},
		{"FROM:<@r1>", ""},
		{`FROM:<"a b"@c>`, "a b@c"},
		{`FROM:<"a>b"@c>`, "a>b@c"},
		{`FROM:"a b"@c d`, "a b@c"},
		{`FROM:<a\>b@c>`, "a>b@c"},
		{`FROM:<a\\b\"@c>`, `a\b"@c`},
		{`FROM:<"a\"b"@c>`, `a"b@c`},
		{`FROM:<a\`, "a"},
		{`FROM:<"a@b>`, "a@b>"},
		{"FROM:<a@b\r>", "a@b\r"},
		{"FROM:<\xff\x80@b>", "\xff\x80@b"},
	}
	for _, tt := range tests {
		if got := string(parseAddress([]byte(tt.arg))); got != tt.want {
			t.Errorf("parseAddress(%q) = %q, want %q", tt.arg, got, tt.want)
		}
	}
}

func TestScanBracketed(t *testing.T) {
	tests := []struct {
		in   string
		want string // empty: no address
	}{
		{"[192.0.2.1]", "192.0.2.1"},
		{"[256.00.2.1]", "0.0.2.1"}, // as C: a byte each
		{"[192.0.2.1", ""},
		{"[192.0.2.1]x", ""},
		{"[192.0.2]", ""},
		{"[192.0.2.1.5]", ""},
		{"[192.0..1]", ""},
		{"[]", ""},
		{"[", ""},
		{"", ""},
		{"192.0.2.1", ""},
		{"[IPv6:::1]", "::1"},
		{"[ipV6:2001:0DB8::1]", "2001:db8::1"},
		{"[IPv6:::ffff:192.0.2.1]", "::ffff:192.0.2.1"},
		{"[::1]", ""},
		{"[IPv6:]", ""},
		{"[IPv6:::1", ""},
		{"[IPv6:::1]x", ""},
		{"[IPv6:::1]]", ""},
		{"[IPv6:192.0.2.1]", ""},
		{"[IPv6:fe80::1%eth0]", ""},
	}
	for _, tt := range tests {
		if got, ok := scanBracketed(tt.in); ok != (tt.want != "") || ok && got.String() != tt.want {
			t.Errorf("scanBracketed(%q) = %v, %v; want %q", tt.in, got, ok, tt.want)
		}
	}
}

// An address at one of our own IP addresses is one at control/localiphost.
func TestLocalIPHost(t *testing.T) {
	t.Parallel()
	const in = "MAIL FROM:<>\r\nRCPT TO:<a@[127.0.0.1]>\r\nRCPT TO:<a@[0.0.0.0]>\r\nRCPT TO:<a@[203.0.113.77]>\r\nRCPT TO:<a@[127.0.0.1>\r\n" +
		"RCPT TO:<a@[IPv6:::]>\r\nRCPT TO:<a@[IPv6:2001:db8::77]>\r\nRCPT TO:<a@[IPv6:::ffff:127.0.0.1]>\r\n"
	me := newSite(t, map[string]string{"rcpthosts": "mx.example.org\n"})
	if out, _ := me.connect().talk(in); out != greeting+ok+ok+ok+notMine+notMine+ok+notMine+ok {
		t.Errorf("control/me: got %q", out)
	}
	s := newSite(t, map[string]string{"localiphost": "local.example\n"})
	out, _ := s.connect("RELAYCLIENT=").talk(in + "DATA\r\n.\r\n")
	if !accepted.MatchString(out) {
		t.Fatalf("not accepted: %q", out)
	}
	want := "F\x00Ta@local.example\x00Ta@local.example\x00Ta@[203.0.113.77]\x00Ta@[127.0.0.1\x00" +
		"Ta@local.example\x00Ta@[IPv6:2001:db8::77]\x00Ta@local.example\x00\x00"
	if got := s.read("envelope"); got != want {
		t.Errorf("envelope: %q, want %q", got, want)
	}
}

func FuzzCommand(f *testing.F) {
	f.Fuzz(func(t *testing.T, line []byte) {
		verb, arg := parseCommand([]byte(string(line) + "\n"))
		if verb != "" && !strings.EqualFold(verb, string(line[:4])) || bytes.HasPrefix(arg, []byte(" ")) || bytes.Contains(arg, []byte{0}) {
			t.Fatalf("parseCommand(%q) = %q, %q", line, verb, arg)
		}
		// Every address comes back from its quoted form.
		var quoted strings.Builder
		for _, c := range arg {
			quoted.WriteByte('\\')
			quoted.WriteByte(c)
		}
		if got := parseAddress([]byte("<" + quoted.String() + ">")); !bytes.Equal(got, arg) {
			t.Fatalf("parseAddress of quoted %q = %q", arg, got)
		}
		if address := parseAddress(bytes.Clone(arg)); len(address) > len(arg) || bytes.Contains(address, []byte{0}) {
			t.Fatalf("parseAddress(%q) = %q", arg, address)
		}
	})
}
