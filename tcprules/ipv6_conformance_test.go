//go:build conformance

package tcprules_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// ipv6 makes IPv6 addresses near each other, in the form that ucspi-tcp-ipv6
// and ours have in common: it has "::" for a single group of zeros too.
func (g generator) ipv6() string {
	for {
		groups := make([]string, 8)
		for i := range groups {
			groups[i] = g.pick("0", "0", "0", "1", "a", "2001", "db8")
		}
		text := strings.Join(groups, ":")
		if before, after, single := strings.Cut(":"+text+":", ":0:"); !single || strings.HasPrefix(after, "0:") || strings.Contains(before+after, ":0:0") {
			return text
		}
	}
}

// ipv6File makes a file whose addresses are of clients, or prefixes of them.
func (g generator) ipv6File(clients []string) string {
	var b strings.Builder
	for range 1 + g.IntN(12) {
		address := clients[g.IntN(len(clients))]
		switch {
		case g.one(2):
			cut := g.IntN(len(address) - 1)
			if end := strings.IndexByte(address[cut:], ':'); end >= 0 && cut+end > 0 {
				address = address[:cut+end+1]
			}
		case g.one(4):
			address = g.info() + "@" + address
		case g.one(4):
			address = g.pick("", "=", "="+g.host())
		}
		b.WriteString(address + ":" + g.pick("allow", "deny", `allow,A="x:deny"`, `deny,B="::1:allow",C='y'`) + "\n")
	}
	return b.String()
}

// TestConformanceIPv6Rules: files with IPv6 addresses as ucspi-tcp-ipv6 writes
// them are compiled to the same bytes, and both programs find the same in
// them. (Its tcprules hangs over a bad line, so there is none.)
func TestConformanceIPv6Rules(t *testing.T) {
	compiler, theirs := testprog.IPv6Peer(t, "tcprules"), testprog.IPv6Peer(t, "tcprulescheck")
	bin := testprog.Dir(t)
	found := inParallel(1500, func(seed uint64, dir string) (bool, error) {
		g := newGenerator(seed + 2e6)
		var clients []string
		for range 6 {
			clients = append(clients, netip.MustParseAddr(g.ipv6()).String())
		}
		text := g.ipv6File(clients)
		want, err := compileWith(compiler, dir, []byte(text))
		if err != nil || want.code != 0 {
			return false, fmt.Errorf("C: %v %v: %q", want, err, text)
		}
		got, err := compileWith(filepath.Join(bin, "tcprules"), dir, []byte(text))
		if err != nil || got != want {
			return false, fmt.Errorf("ours: %v %v\nC:    %v\nrules: %q", got, err, want, text)
		}
		matched := false
		for _, ip := range clients {
			env := []string{"TCPREMOTEIP=" + ip, "TCPREMOTEHOST=" + g.host(), "TCPREMOTEINFO=" + g.info()}
			env = env[:1+g.IntN(3)]
			want, err := run(theirs, dir, env, nil, "rules.cdb")
			if err != nil {
				return false, err
			}
			got, err := run(filepath.Join(bin, "tcprulescheck"), dir, env, nil, "rules.cdb")
			if err != nil || got != want {
				return false, fmt.Errorf("ours: %v %v\nC:    %v\nclient: %q\nrules: %q", got, err, want, env, text)
			}
			matched = matched || !strings.HasPrefix(want.stdout, "rule :") && !strings.HasPrefix(want.stdout, "default:")
		}
		return matched, nil
	}, t)
	if found < 700 {
		t.Errorf("only %d of 1500 files have a rule for one of their clients", found)
	}
}

// TestConformanceIPv6Databases: ucspi-tcp-ipv6's text of an address with a
// single group of zeros is not that of RFC 5952, and is found all the same.
func TestConformanceIPv6Databases(t *testing.T) {
	compiler := testprog.IPv6Peer(t, "tcprules")
	dir := t.TempDir()
	for text, ip := range map[string]string{
		"2001:db8::1:1:1:1:1:deny\n": "2001:db8:0:1:1:1:1:1",
		"2001:db8:::deny\n":          "2001:db8:0:1:1:1:1:1",
		"::1:2:3:4:5:6:7:deny\n":     "0:1:2:3:4:5:6:7",
	} {
		if made, err := compileWith(compiler, dir, []byte(text)); err != nil || made.code != 0 {
			t.Fatal(made, err)
		}
		got, err := run(filepath.Join(testprog.Dir(t), "tcprulescheck"), dir, []string{"TCPREMOTEIP=" + ip}, nil, "rules.cdb")
		if err != nil || !strings.HasSuffix(got.stdout, "deny connection\n") {
			t.Errorf("%s in %q: %v %v", ip, text, got, err)
		}
	}
}
