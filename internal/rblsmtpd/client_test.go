package rblsmtpd

import (
	"net/netip"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
)

const nibbles = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."

func TestParseClient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, text, reversed string }{
		{"1.2.3.4", "1.2.3.4", "4.3.2.1."},
		{"", "", ""},
		{"1.2", "1.2", "2.1."},
		{"unknown", "unknown", "unknown."},
		{"a..b.", "a..b.", ".b..a."},
		{"01.2.3.400", "01.2.3.400", "400.3.2.01."},
		{"2001:db8::1", "2001:db8::1", nibbles},
		{"2001:0DB8:0::1", "2001:0DB8:0::1", nibbles},
		{"2001:db8::1%eth0", "2001:db8::1%eth0", nibbles},
		{"::ffff:1.2.3.4", "1.2.3.4", "4.3.2.1."},
		{"::FFFF:102:304", "1.2.3.4", "4.3.2.1."},
		{"::1.2.3.4", "::1.2.3.4", "4.0.3.0.2.0.1.0." + strings.Repeat("0.", 24)},
		{"2001:db8::1::", "2001:db8::1::", "2001:db8::1::."},
	} {
		if got := parseClient(tt.in); got != (client{tt.text, tt.reversed}) {
			t.Errorf("parseClient(%q) = %q; want %q, %q", tt.in, got, tt.text, tt.reversed)
		}
	}
}

func TestNewClient(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]string{
		"TCPREMOTEIP=1.2.3.4 PROTO=TCP TCP6REMOTEIP=::ffff:9.9.9.9":        "1.2.3.4",
		"TCPREMOTEIP=2001:db8::1 PROTO=TCP6 TCP6REMOTEIP=2001:db8::1":      "2001:db8::1",
		"TCPREMOTEIP=::ffff:1.2.3.4 PROTO=TCP6 TCP6REMOTEIP=2001:db8::1":   "1.2.3.4",
		"TCPREMOTEIP= PROTO=TCP6 TCP6REMOTEIP=2001:db8::1":                 "",
		"PROTO=TCP6 TCP6REMOTEIP=2001:db8::1":                              "2001:db8::1",
		"PROTO=TCP TCP6REMOTEIP=2001:db8::1":                               "",
		"TCP6REMOTEIP=2001:db8::1":                                         "",
		"PROTO=TCP6 TCP6REMOTEIP=::ffff:1.2.3.4 TCPLOCALIP=::ffff:1.1.1.1": "1.2.3.4",
		"X=": "",
	} {
		if got := newClient(&prog.Env{Environ: strings.Fields(environ)}); got.text != want {
			t.Errorf("newClient(%s) = %q, want %q", environ, got.text, want)
		}
	}
}

// The labels are those of the text backwards, each ended by a dot, and those
// of an IPv6 address are its 32 digits.
func FuzzParseClient(f *testing.F) {
	for _, s := range []string{"", ".", "1.2.3.4", "::", "::ffff:1.2.3.4", "2001:db8::1%x.y", "a..b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := parseClient(text)
		if addr, err := netip.ParseAddr(text); err == nil && addr.Is6() && !addr.Is4In6() {
			digits := strings.ReplaceAll(strings.ReplaceAll(addr.WithZone("").StringExpanded(), ":", ""), ".", "")
			if len(got.reversed) != 64 || backwards(got.reversed) != digits {
				t.Errorf("parseClient(%q) = %q, digits %q", text, got, digits)
			}
			return
		}
		if text == "" {
			if got != (client{}) {
				t.Errorf("parseClient of nothing = %q", got)
			}
			return
		}
		labels := strings.Split(strings.TrimSuffix(got.reversed, "."), ".")
		for i, label := range strings.Split(got.text, ".") {
			if label != labels[len(labels)-1-i] {
				t.Errorf("parseClient(%q) = %q", text, got)
			}
		}
	})
}

// backwards returns s from its end, without dots.
func backwards(s string) string {
	var b []byte
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != '.' {
			b = append(b, s[i])
		}
	}
	return string(b)
}
