package rules_test

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// keyOf returns the one key that an address is compiled to.
func keyOf(t testing.TB, address string) (string, bool) {
	t.Helper()
	var m memory
	err := rules.CompileText(strings.NewReader(address+":deny\n"), &m)
	if bad := (*rules.SyntaxError)(nil); errors.As(err, &bad) {
		return "", false
	}
	rs := records(m.data)
	if err != nil || len(rs) != 1 {
		t.Fatalf("%q: %v, %q", address, err, rs)
	}
	return rs[0].Name, true
}

func TestNetworkKeys(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		// IPv6 addresses are stored as RFC 5952 has them.
		"2001:db8::1": "2001:db8::1", "2001:0DB8:0:0::0001": "2001:db8::1", "::": "::", "::1": "::1", "fe80::A": "fe80::a",
		"2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1", "1:0:0:2:3:0:0:4": "1::2:3:0:0:4",
		"::ffff:192.0.2.1": "192.0.2.1", "::FFFF:c000:0201": "192.0.2.1",
		"joe@2001:DB8::1": "joe@2001:db8::1", "a@b@::1": "a@b@::1", "@::1": "@::1", "j/k@::1": "j/k@::1",

		// Prefixes of the text are made of groups in that form.
		"2001:": "2001:", "2001:0DB8:": "2001:db8:", "2001:0:0:": "2001:0:0:", "2001:db8::": "2001:db8::", "::5:": "::5:",
		"1:2:3:4:5:6:7:": "1:2:3:4:5:6:7:", "fe80::0A:": "fe80::a:",

		// Blocks have the keys of ucspi-tcp6.
		"10.0.0.0/8": "_0000e0g0", "10/8": "_0000e0g0", "10./8": "_0000e0g0", "10.1/8": "_0000e0g0", "10.255.3.4/8": "_0000e0g0",
		"255.255.255.255/32": "_abcdefghijklmnopqrstuvwxyz123456", "0.0.0.0/0": "_", "0/0": "_", "128.0.0.1/1": "_a", "0.0.0.1/32": "_" + strings.Repeat("0", 31) + "6",
		"2001:db8::/32": "^00`000000000000a0000bc0de0fgh000",
		"::/0":          "^", "8000::/1": "^`", "C000::/3": "^`a0", "::1/128": "^" + strings.Repeat("0", 127) + "`",
		"::ffff:10.0.0.0/104": "_0000e0g0", "::ffff:0:0/95": "^" + strings.Repeat("0", 80) + "`abcdefghijklmn",

		// To ucspi-tcp 0.88 these are addresses, and so they are here.
		"10.0.0.0/255.0.0.0": "10.0.0.0/255.0.0.0", "10.0.0.0/": "10.0.0.0/", "/8": "/8", "./8": "./8", "joe@10.0.0.0/8": "joe@10.0.0.0/8",
		"=a/8": "=a/8", "10.0.0.0/8/8": "10.0.0.0/8/8", "10.0.0.0 /8": "10.0.0.0 /8", "a/b": "a/b", "10.0.0.0/x": "10.0.0.0/x",
	} {
		if got, ok := keyOf(t, address); !ok || got != want {
			t.Errorf("%s is compiled to %q, %t, want %q", address, got, ok, want)
		}
	}
	// All bits of an IPv6 address can be set.
	all := []byte("^")
	for i := range 128 {
		all = append(all, byte('`'+i))
	}
	if got, _ := keyOf(t, strings.Repeat("ffff:", 7)+"ffff/128"); got != string(all) {
		t.Errorf("all bits: %q", got)
	}
}

func TestNetworkSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		":", ":::", "2001:db8", "2001:db8:::1", "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8:9", "12345::", "12345:", "g::", "::1::", "1::2::", ":1:", "1:2:3:4:5:6:7::8:",
		"fe80::1%eth0", "fe80::1%1", "fe80::%1/64", "[::1]", " ::1", "::1 ", "::1-5", "::ffff:127.", "::ffff:1.2.3.256", "joe@2001:db8:", "joe@::1/128", "a:b@::1", "joe@x:y", "=::1",
		"::1/", "::1/129", "::1/-1", "::1/+1", "::1/1 ", "::/8/8", "2001:db8/32", "1.2.3.4:allwo",
		"10.0.0.0/33", "10.0.0.0/99999999999999999999", "10.0.0.256/8", "010.0.0.0/8", "10.0.0.0.0/8", "10.0.0.0./8", "10..0.0/8", ".10/8", "10/9", "10.0./24", "10../8",
	} {
		if got, ok := keyOf(t, address); ok {
			t.Errorf("%q is compiled to %q, want a syntax error", address, got)
		}
	}
	// What stands in a variable of a bad line does not make it a good one.
	for _, line := range []string{`1.2.3.4:allwo,X="a:deny"`, `1.2.3.4:allwo,X="@::1:deny"`, `:alow,X=":allow"`, "::1:denyX", "::1:deny,A"} {
		if _, err := rules.Parse(strings.NewReader(line)); err == nil || err.Error() != "rules: line 1: unable to parse: "+line {
			t.Errorf("Parse(%q) = %v", line, err)
		}
	}
}

func TestIPv6Lines(t *testing.T) {
	t.Parallel()
	set, err := rules.Parse(strings.NewReader("2001:db8::1:allow,A=\":deny\",B=\"2001:db8::2:deny\"\n2001:db8:::deny\n:::allow\n"))
	if err != nil || len(set.Rules) != 3 {
		t.Fatalf("Parse = %+v, %v", set, err)
	}
	for i, want := range []string{"2001:db8::1", "2001:db8::", "::"} {
		if got := set.Rules[i].Address; got != want {
			t.Errorf("rule %d is for %q, want %q", i, got, want)
		}
	}
	if r := set.Rules[0]; r.Deny || len(r.Env) != 2 || r.Env[1].Value != "2001:db8::2:deny" {
		t.Errorf("rule %+v", r)
	}
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"_0000e0g0": "10.0.0.0/8", "_": "0.0.0.0/0", "^": "::/0", "^00`000000000000a0000bc0de0fgh000": "2001:db8::/32",
		"": "", "10.": "10.", "=a": "=a", "2001:db8::1": "2001:db8::1",
		"_b": "_b", "^a": "^a", "_x0": "_x0", "_" + strings.Repeat("0", 33): "_" + strings.Repeat("0", 33), "^" + strings.Repeat("0", 129): "^" + strings.Repeat("0", 129),
	} {
		if got := rules.AddressOf(key); got != want {
			t.Errorf("AddressOf(%q) = %q, want %q", key, got, want)
		}
	}
}

// FuzzNetwork: a block is its key and nothing else, whatever is written of its
// address beyond its length, and holds an address exactly if the key that is
// searched for that begins with its own; an address that netip reads is found
// under any of its texts.
func FuzzNetwork(f *testing.F) {
	f.Add([]byte{10, 0, 0, 1}, 8)
	f.Add([]byte{255, 255, 255, 255}, 32)
	f.Add(netip.MustParseAddr("2001:db8::1").AsSlice(), 32)
	f.Add(netip.MustParseAddr("::ffff:1.2.3.4").AsSlice(), 100)
	f.Add(netip.MustParseAddr("1:0:2:3:4:5:6:7").AsSlice(), 0)
	f.Fuzz(func(t *testing.T, raw []byte, bits int) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		prefix := netip.PrefixFrom(addr, bits)
		key, ok := keyOf(t, prefixText(addr, bits))
		if ok != prefix.IsValid() {
			t.Fatalf("%v/%d: %q, %t", addr, bits, key, ok)
		}
		if addr.Is4In6() {
			if addr, bits = addr.Unmap(), bits-96; bits < 0 {
				return
			}
			prefix = netip.PrefixFrom(addr, bits)
		}
		if ok {
			if got := rules.AddressOf(key); got != prefix.Masked().String() {
				t.Fatalf("AddressOf(%q) = %s, want %v", key, got, prefix.Masked())
			}
			d, err := build(t, prefix.String()+":deny\n").Lookup(rules.Client{IP: addr.String()})
			if err != nil || !d.Deny || d.Key != key {
				t.Fatalf("%v in %v: %+v, %v", addr, prefix, d, err)
			}
		}
		if addr.Is6() {
			d, err := build(t, addr.StringExpanded()+":deny\n").Lookup(rules.Client{IP: addr.String()})
			if err != nil || !d.Deny || d.Key != addr.String() {
				t.Fatalf("%v: %+v, %v", addr, d, err)
			}
		}
	})
}

func prefixText(addr netip.Addr, bits int) string { return addr.String() + "/" + strconv.Itoa(bits) }
