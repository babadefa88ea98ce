package dns

import (
	"net/netip"
	"strings"
	"testing"
)

func TestWire(t *testing.T) {
	for _, tt := range []struct{ text, wire, back string }{
		{"", "\x00", "."},
		{".", "\x00", "."},
		{"a.bc", "\x01a\x02bc\x00", "a.bc"},
		{".A..b.", "\x01A\x01b\x00", "a.b"},
		{`\141\7x\0009\400.\.\\\8`, "\x06a\x07x\x009\x00\x03.\\8\x00", `a\007x\0009\000.\056\1348`},
		{`a\`, "\x01a\x00", "a"},
		{"_x-1", "\x04_x-1\x00", "_x-1"},
		{"\xff ", "\x02\xff \x00", `\377\040`},
		{strings.Repeat("x", 63), "\x3f" + strings.Repeat("x", 63) + "\x00", strings.Repeat("x", 63)},
	} {
		wire, err := Wire(tt.text)
		if err != nil || string(wire) != tt.wire {
			t.Errorf("Wire(%q) = %q, %v, want %q", tt.text, wire, err, tt.wire)
		}
		if got := Text(wire); got != tt.back {
			t.Errorf("Text(%q) = %q, want %q", wire, got, tt.back)
		}
	}
	for name, ok := range map[string]bool{
		strings.Repeat("x", 64):                              false,
		strings.Repeat(`\170`, 64):                           false,
		strings.Repeat("a.", 127):                            true, // 255 bytes
		strings.Repeat("a.", 126) + "bb":                     false,
		strings.Repeat("a.", 127) + strings.Repeat(".", 300): true,
	} {
		if _, err := Wire(name); err == nil != ok {
			t.Errorf("Wire(%.70q...) = %v", name, err)
		}
	}
}

func TestReverse(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.255":        "255.2.0.192.in-addr.arpa",
		"::ffff:192.0.2.255": "255.2.0.192.in-addr.arpa",
		"2001:db8::af":       "f.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		"fe80::1%eth0":       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa",
	} {
		if got := Reverse(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Reverse(%s) = %s, want %s", addr, got, want)
		}
	}
}

// What Text writes, Wire reads.
func FuzzName(f *testing.F) {
	f.Add("mail.Example.ORG.")
	f.Add(`we\055ird\072na\040m\056e.exa\343mple`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, name string) {
		wire, err := Wire(name)
		if err != nil {
			return
		}
		if len(wire) > maxName {
			t.Fatalf("Wire(%q): %d bytes", name, len(wire))
		}
		again, err := Wire(Text(wire))
		if err != nil || !sameName(again, wire) {
			t.Errorf("Wire(%q) = %q, but again %q, %v", name, wire, again, err)
		}
	})
}
