package rulesdiff

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"ucspi-go/rules"
)

var (
	sixAddresses = strings.Fields("2001:db8::1 2001:db8::2 2001:db8:1::1 2001:db8:1:2::1 2001:db9::1 2001:0:1:2:3:4:5:6 ::1 2000::1 3000::1 fe80::1")
	sixRules     = strings.Fields("2001:db8::1 2001:db8::2 2001:db8:: 2001:db8: 2001: 2001:db8:1: 2001:db8:1:2: :: 2001:0: " +
		"2001:db8::/32 2001:db8::/31 2001:db8:1::/48 2001::/16 2000::/3 ::/0 ::/1 8000::/1 2001:db8::/127 2001:db8::2/128 joe@2001:db8::1 joe@::1 0/0 1/8")
)

func randomSix(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(5) {
		b.WriteString(sixRules[random.IntN(len(sixRules))] + []string{":allow\n", ":deny\n", ":allow,A='1'\n"}[random.IntN(3)])
	}
	return b.String() + []string{"", ":deny\n"}[random.IntN(2)]
}

// No IPv6 client is done something else to without a line, and what is told is
// true: the clients that it names are done that to, as far as the rule decides
// about them.
func TestSixAgainstLookups(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 3))
	differ := 0
	for range 1000 {
		before, after := randomSix(random), randomSix(random)
		old, now := open(t, before), open(t, after)
		lines := tellAll(t, before, after, random.IntN(2) == 0)
		for _, ip := range sixAddresses {
			for _, info := range []*string{nil, known("joe"), known("jim")} {
				a, err := old.Lookup(rules.Client{IP: ip, Info: info})
				if err != nil {
					t.Fatal(err)
				}
				b, err := now.Lookup(rules.Client{IP: ip, Info: info})
				if err != nil {
					t.Fatal(err)
				}
				if doing(a.Deny, a.Settings()) == doing(b.Deny, b.Settings()) {
					continue
				}
				differ++
				if !toldOf(lines, a.Key) && !toldOf(lines, b.Key) {
					t.Fatalf("%s, remote info %s: by %q, now by %q\n%s to\n%s tells\n%s", ip, text(info), a.Key, b.Key, before, after, lines)
				}
			}
		}
	}
	if differ < 300 {
		t.Errorf("only %d differences", differ)
	}
}

// toldOf reports whether a line is about the rule with that key.
func toldOf(lines, key string) bool {
	name := rules.AddressOf(key)
	if key == "" {
		name = "everybody"
	}
	for line := range strings.Lines(lines) {
		_, who, _ := strings.Cut(line, " ")
		who = strings.TrimSpace(who)
		if strings.HasPrefix(who, name+":") || strings.HasPrefix(who, name+" ") || who == name {
			return true
		}
	}
	return false
}

// Clients that are tried for a rule are its.
func TestSamples(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, text := range sixRules {
		for key := range (rules.Rule{Address: text}).Keys() {
			if !isSix(key, rules.KindOf(key)) {
				continue
			}
			all := samples(key, random)
			if len(all) == 0 {
				t.Errorf("%s: no client has it", text)
			}
			if block, err := netip.ParsePrefix(text); err == nil {
				for _, c := range all {
					if !block.Contains(netip.MustParseAddr(c.IP)) {
						t.Errorf("%s is not in %s", c.IP, text)
					}
				}
			}
		}
	}
}
