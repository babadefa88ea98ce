package proxyproto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// v2 returns a header of version 2.
func v2(command, family byte, rest string) string {
	return signature2 + string([]byte{command, family}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(rest)))) + rest
}

const (
	addresses4 = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x10\x00\x00\x19"
	addresses6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x10\x00\x00\x19"
	mapped6 = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc6\x33\x64\x02\x10\x00\x00\x19"
)

var cases = []struct{ name, in, want string }{
	{"v1", "PROXY TCP4 192.0.2.1 198.51.100.2 4096 25\r\n", "192.0.2.1:4096 198.51.100.2:25"},
	{"v1, IPv6", "PROXY TCP6 2001:db8::1 2001:DB8:0::2 4096 25\r\n", "[2001:db8::1]:4096 [2001:db8::2]:25"},
	{"v1, mapped", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 65535 0\r\n", "192.0.2.1:65535 198.51.100.2:0"},
	{"v1, shortest", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "1.1.1.1:1 2.2.2.2:2"},
	{"v1, longest", "PROXY TCP6 " + strings.Repeat("ffff:", 7) + "ffff " + strings.Repeat("ffff:", 7) + "fffe 65535 65535\r\n",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 [ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"},
	{"v1, unknown", "PROXY UNKNOWN\r\n", "own"},
	{"v1, unknown and more", "PROXY UNKNOWN ffff:f...f:ffff \x00\r 65535 65535\r\n", "own"},
	{"v1, unknown, longest", "PROXY UNKNOWN " + strings.Repeat("x", 107-16) + "\r\n", "own"},
	{"v2", v2(0x21, 0x11, addresses4), "192.0.2.1:4096 198.51.100.2:25"},
	{"v2 and more", v2(0x21, 0x11, addresses4+"\x04\x00\x01x"), "192.0.2.1:4096 198.51.100.2:25"},
	{"v2, IPv6", v2(0x21, 0x21, addresses6), "[2001:db8::1]:4096 [2001:db8::2]:25"},
	{"v2, mapped", v2(0x21, 0x21, mapped6), "192.0.2.1:4096 198.51.100.2:25"},
	{"v2, longest", v2(0x21, 0x21, addresses6+strings.Repeat("x", MaxSize-16-36)), "[2001:db8::1]:4096 [2001:db8::2]:25"},
	{"v2, local", v2(0x20, 0, ""), "own"},
	{"v2, local with addresses", v2(0x20, 0x11, addresses4), "own"},
	{"v2, of nobody known", v2(0x21, 0, "xx"), "own"},

	{"nothing", "", "proxyproto: no header"},
	{"no header", "EHLO x\r\n........", "invalid"},
	{"a client of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03....", "invalid"},
	{"v1, bare LF", "PROXY TCP4 192.0.2.1 198.51.100.2 4096 25\n....", "invalid"},
	{"v1, short with LF", "PROXY X\r\nEHLO x\r\n", "invalid"},
	{"v1, lower case", "proxy TCP4 192.0.2.1 198.51.100.2 4096 25\r\n", "invalid"},
	{"v1, no family", "PROXY  192.0.2.1 198.51.100.2 4096 25\r\n", "invalid"},
	{"v1, UDP", "PROXY UDP4 192.0.2.1 198.51.100.2 4096 25\r\n", "invalid"},
	{"v1, unknown misspelt", "PROXY UNKNOWN2 x\r\n", "invalid"},
	{"v1, other family", "PROXY TCP4 2001:db8::1 2001:db8::2 4096 25\r\n", "invalid"},
	{"v1, families mixed", "PROXY TCP6 2001:db8::1 192.0.2.1 4096 25\r\n", "invalid"},
	{"v1, leading zero", "PROXY TCP4 192.0.2.01 198.51.100.2 4096 25\r\n", "invalid"},
	{"v1, zone", "PROXY TCP6 fe80::1%eth0 fe80::2 4096 25\r\n", "invalid"},
	{"v1, port too large", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n", "invalid"},
	{"v1, port wraps", "PROXY TCP4 192.0.2.1 198.51.100.2 18446744073709551617 25\r\n", "invalid"},
	{"v1, no port", "PROXY TCP4 192.0.2.1 198.51.100.2 4096 \r\n", "invalid"},
	{"v1, port of letters", "PROXY TCP4 192.0.2.1 198.51.100.2 4096 2x\r\n", "invalid"},
	{"v1, a field more", "PROXY TCP4 192.0.2.1 198.51.100.2 4096 25 \r\n", "invalid"},
	{"v1, two blanks", "PROXY TCP4 192.0.2.1  198.51.100.2 4096 25\r\n", "invalid"},
	{"v1, too long", "PROXY UNKNOWN " + strings.Repeat("x", 108-16) + "\r\n", "invalid"},
	{"v1, endless", "PROXY TCP4 " + strings.Repeat("1", 5000), "invalid"},
	{"v1, cut", "PROXY TCP4 192.0.2.1 198.51.100.2 4096 25\r", "unexpected EOF"},
	{"v1, cut in the signature", "PROX", "unexpected EOF"},
	{"v2, version 3", v2(0x31, 0x11, addresses4), "invalid"},
	{"v2, other command", v2(0x22, 0x11, addresses4), "invalid"},
	{"v2, UDP", v2(0x21, 0x12, addresses4), "invalid"},
	{"v2, Unix socket", v2(0x21, 0x31, strings.Repeat("x", 216)), "invalid"},
	{"v2, too short for IPv4", v2(0x21, 0x11, addresses4[1:]), "invalid"},
	{"v2, too short for IPv6", v2(0x21, 0x21, addresses6[1:]), "invalid"},
	{"v2, too long", v2(0x21, 0x21, strings.Repeat("x", MaxSize-15)), "invalid"},
	{"v2, cut", v2(0x21, 0x11, addresses4)[:27], "unexpected EOF"},
	{"v2, cut in the signature", signature2[:11], "unexpected EOF"},
	{"v2, no addresses at all", signature2, "unexpected EOF"},
}

func show(h Header, err error) string {
	switch {
	case errors.Is(err, ErrInvalid):
		return "invalid"
	case err != nil:
		return err.Error()
	case h.Own:
		return "own"
	}
	return h.Source.String() + " " + h.Destination.String()
}

// A good header is read to its end and not further, whatever pieces it comes
// in.
func TestRead(t *testing.T) {
	t.Parallel()
	const next = "PROXY EHLO\r\n"
	for _, tt := range cases {
		whole := strings.NewReader(tt.in)
		if got := show(Read(whole)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			continue
		}
		if strings.Contains(tt.want, "EOF") || tt.in == "" {
			continue // would go on with what is next
		}
		rest := strings.NewReader(tt.in + next)
		got := show(Read(iotest.OneByteReader(rest)))
		if left, _ := io.ReadAll(rest); got != tt.want || tt.want != "invalid" && string(left) != next {
			t.Errorf("%s, in pieces: %s, %q follows", tt.name, got, left)
		}
	}
}

func TestReadError(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "PROXY", "PROXY TCP4 1.1.1", v2(0x21, 0x11, addresses4)[:20]} {
		if _, err := Read(io.MultiReader(strings.NewReader(in), iotest.ErrReader(iotest.ErrTimeout))); err != iotest.ErrTimeout {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestBegins(t *testing.T) {
	t.Parallel()
	type answer struct{ header, more bool }
	yes, no, more := answer{header: true}, answer{}, answer{more: true}
	for in, want := range map[string]answer{
		"": more, "P": more, "PROXY": more, "\r": more, signature2[:11]: more,
		"PROXY ": yes, "PROXY TCP4 x": yes, signature2: yes, signature2 + "x": yes,
		"PROXYX": no, "p": no, "EHLO": no, "\r\n.": no, "\r\n\r\n\x00\r\nQUIX": no,
	} {
		if header, more := Begins([]byte(in)); (answer{header, more}) != want {
			t.Errorf("Begins(%q) = %v, %v", in, header, more)
		}
	}
}

// What is read of foreign bytes is bounded, a header is read the same without
// what follows it, and is none without its last byte; its addresses are of one
// family that rules know.
func FuzzRead(f *testing.F) {
	for _, tt := range cases {
		if len(tt.in) < 200 {
			f.Add([]byte(tt.in))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		h, err := Read(r)
		size := len(in) - r.Len()
		if size > MaxSize {
			t.Errorf("%d bytes read", size)
		}
		if err != nil {
			return
		}
		if again, err := Read(bytes.NewReader(in[:size])); again != h || err != nil {
			t.Errorf("%+v, %v; without what follows %+v", again, err, h)
		}
		if _, err := Read(bytes.NewReader(in[:size-1])); err != io.ErrUnexpectedEOF {
			t.Errorf("without the last byte: %v", err)
		}
		if header, _ := Begins(in); !header {
			t.Error("the beginning is none")
		}
		for _, a := range []netip.AddrPort{h.Source, h.Destination} {
			if a.IsValid() == h.Own || a.Addr().Is4In6() || a.Addr().Zone() != "" {
				t.Errorf("%+v", h)
			}
		}
	})
}
