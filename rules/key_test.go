package rules_test

import (
	"slices"
	"testing"

	"ucspi-go/rules"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]rules.Kind{
		"": rules.Everybody, "=": rules.NameSuffix, "=.": rules.Name, "=.example.com": rules.NameSuffix, "=com": rules.Name,
		"=mail-1.exa_mple.com": rules.Name, `=a\040b.com`: rules.Name, "=1.2.3.4": rules.Name,
		"192.0.2.1": rules.Address, "0.0.0.0": rules.Address, "255.255.255.255": rules.Address,
		"192.0.2.": rules.AddressPrefix, "192.": rules.AddressPrefix, "0.": rules.AddressPrefix,
		"joe@192.0.2.1": rules.InfoAtAddress, "@192.0.2.1": rules.InfoAtAddress, "a@b@192.0.2.1": rules.InfoAtAddress, "=@192.0.2.1": rules.InfoAtAddress,
		"joe@=a.b": rules.InfoAtName, "@=.": rules.InfoAtName,

		"192.0.2": rules.NoClient, "192": rules.NoClient, "192.0.2.1.": rules.NoClient, "1.2.3.4.5": rules.NoClient, ".": rules.NoClient,
		"192.0.2.256": rules.NoClient, "192.0.02.1": rules.NoClient, "1..2.": rules.NoClient, " 192.0.2.1": rules.NoClient, "1.2.3.4\x00": rules.NoClient,
		"1.2.3.1234567890123456789012345678901": rules.NoClient,
		"::1":                                   rules.Address, "2001:db8:0:1:2:3:4:5": rules.Address, "2001:db8::1:2:3:4:5": rules.Address, "2001:0DB8:0000:0001:0002:0003:0004:0005": rules.Address, "joe@::1": rules.InfoAtAddress,
		"2001:db8:": rules.AddressPrefix, "2001:db8::": rules.AddressPrefix, "::": rules.AddressPrefix, "2001:0:": rules.AddressPrefix,
		"_0000e0g0": rules.AddressBlock, "_": rules.AddressBlock, "^00`": rules.AddressBlock, "^": rules.AddressBlock,
		"2001:0db8::1": rules.NoClient, "2001:DB8::1": rules.NoClient, "2001:0db8:0000:0001:0002:0003:0004:0005": rules.NoClient, "2001:0db8:": rules.NoClient,
		"::ffff:1.2.3.4": rules.NoClient, "fe80::1%eth0": rules.NoClient, "joe@::/0": rules.NoClient, "_b": rules.NoClient, "^a": rules.NoClient, "10.0.0.0/8": rules.NoClient, "::1::": rules.NoClient, ":": rules.NoClient,
		"=A.b": rules.NoClient, "=a..b": rules.NoClient, "=a.": rules.NoClient, "=..": rules.NoClient, "=a b": rules.NoClient, `=a\08.b`: rules.NoClient, `=a\400`: rules.NoClient, `=\`: rules.NoClient,
		"a.b": rules.NoClient, "joe@": rules.NoClient, "joe@192.": rules.NoClient, "joe@=": rules.NoClient, "joe@=.b": rules.NoClient, "joe smith@192.0.2.1": rules.NoClient, "joe@a.b": rules.NoClient,
	} {
		if got := rules.KindOf(key); got != want {
			t.Errorf("KindOf(%q) = %d, want %d", key, got, want)
		}
	}
}

// The search goes through the kinds in their order, and every key that is
// searched for a client has a kind: who adds one to the search has to say
// here, and in tcprulesdiff, what it is.
func TestKindsAreInSearchOrder(t *testing.T) {
	t.Parallel()
	for _, info := range []*string{nil, str(""), str("joe"), str("a@=b")} {
		for _, host := range []*string{nil, str("."), str("com"), str("a.b.example.com"), str(`\040.x`)} {
			for _, ip := range []string{"0.0.0.0", "192.0.2.1", "255.255.255.255", "2001:db8::1", "1:2:3:4:5:6:7:8"} {
				tried := slices.Collect(rules.Client{IP: ip, Host: host, Info: info}.Keys())
				last, length := rules.Kind(-1), 0
				for i, key := range tried {
					if slices.Contains(tried[:i], key) {
						continue // "=." of the name ".", which could only be found before
					}
					kind := rules.KindOf(key)
					whole := kind == rules.Address || kind == rules.InfoAtAddress // one address, whatever its form
					if kind == rules.NoClient || kind < last || kind == last && len(key) >= length && !whole {
						t.Errorf("%q: %q is searched as kind %d after kind %d", tried, key, kind, last)
					}
					last, length = kind, len(key)
				}
			}
		}
	}
}
