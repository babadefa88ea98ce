package rules_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/colinmarc/cdb"

	"ucspi-go/rules"
)

func TestSearchForNetworks(t *testing.T) {
	t.Parallel()
	const blocks = "10.0.0.0/8:allow\n0/1:allow\n2001:db8::/32:allow\n::/0:allow\n"
	v4 := []string{"10.1.2.3", "10.1.2.", "10.1.", "10."}
	for _, tt := range []struct {
		name, text string
		c          rules.Client
		want       []string
	}{
		{"nothing new", "1.2.3.4:deny\n", rules.Client{IP: "10.1.2.3"}, append(v4, "")},
		{"blocks, and the search is at its end before the smaller", "11/8:deny\n10.1/16:deny\n10/8:deny\n", rules.Client{IP: "10.1.2.3"}, append(v4, "_0000e0g00000000p")},
		{"blocks of other clients", "11/8:deny\n2001:db8::/33:deny\n0/0:deny\n", rules.Client{IP: "10.1.2.3"}, append(v4, "_0000e0g0", "_")},
		{
			"after everything that 0.88 knows but the default", "255/8:deny\n",
			rules.Client{IP: "10.1.2.3", Host: str("a.b"), Info: str("joe")},
			[]string{"joe@10.1.2.3", "joe@=a.b", "10.1.2.3", "=a.b", "10.1.2.", "10.1.", "10.", "=.b", "=", "_0000e0g0", ""},
		},
		{"no address", blocks, rules.Client{IP: "10.1.2"}, []string{"10.1.2", "10.1.", "10.", ""}},
		{"no address either", blocks, rules.Client{IP: "010.1.2.3"}, []string{"010.1.2.3", "010.1.2.", "010.1.", "010.", ""}},
		{"no IPv6 address", blocks, rules.Client{IP: "1::2::3"}, []string{"1::2::3", "1::2::", "1::2:", "1::", "1:", ""}},
		{"mapped", "10/8:deny\n", rules.Client{IP: "::ffff:10.1.2.3"}, append(v4, "_0000e0g0")},
		{
			"an IPv6 client", "1.:deny\n8000::/1:deny\n", rules.Client{IP: "2001:DB8::0:1%eth0", Host: str("a.b"), Info: str("")},
			[]string{"@2001:db8::1", "@=a.b", "2001:db8::1", "=a.b", "2001:db8::", "2001:db8:", "2001:", "=.b", "=", "^0", ""},
		},
		{"the shortest address", "2001:db8::/32:deny\n1.:deny\n", rules.Client{IP: "::"}, []string{"::", "::", ":", "^" + strings.Repeat("0", 32), ""}},
		{
			"one group of zeros, as ucspi-tcp-ipv6 writes it", "1.:deny\n", rules.Client{IP: "2001:db8:0:1:2:3:4:5", Info: str("x")},
			[]string{
				"x@2001:db8:0:1:2:3:4:5", "x@2001:db8::1:2:3:4:5", "2001:db8:0:1:2:3:4:5", "2001:db8::1:2:3:4:5",
				"2001:db8:0:1:2:3:4:", "2001:db8:0:1:2:3:", "2001:db8:0:1:2:", "2001:db8:0:1:", "2001:db8:0:", "2001:db8:", "2001:",
				"2001:db8::1:2:3:4:", "2001:db8::1:2:3:", "2001:db8::1:2:", "2001:db8::1:", "2001:db8::", "",
			},
		},
	} {
		d, err := build(t, tt.text).Lookup(tt.c)
		if err != nil || !reflect.DeepEqual(d.Tried, tt.want) {
			t.Errorf("%s: %q was searched, %v; want %q", tt.name, d.Tried, err, tt.want)
		}
	}
	for in, want := range map[string]string{
		"0:1:2:3:4:5:6:7": "::1:2:3:4:5:6:7", "1:2:3:4:5:6:7:0": "1:2:3:4:5:6:7::", "0:1:0:2:3:4:5:0": "::1:0:2:3:4:5:0", "1:0:2:0:3:4:5:0": "1::2:0:3:4:5:0",
	} {
		if d, err := build(t, "1.:deny\n").Lookup(rules.Client{IP: in}); err != nil || len(d.Tried) < 2 || d.Tried[1] != want {
			t.Errorf("for %s %q is searched, %v; want also %s", in, d.Tried, err, want)
		}
	}
}

// TestNetworkFirstWins removes the rule that matched, until none is left.
func TestNetworkFirstWins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		c     rules.Client
		order []string
	}{
		{
			rules.Client{IP: "2001:db8:1::5", Host: str("a.example.org"), Info: str("joe")},
			[]string{
				"joe@2001:db8:1::5", "joe@=a.example.org", "2001:db8:1::5", "=a.example.org", "2001:db8:1::", "2001:db8:1:", "2001:db8:", "2001:",
				"=.example.org", "=", "2001:db8:1::5/128", "2001:db8:1::/48", "2001:db8::/33", "2001:db8::/32", "::/0", "",
			},
		},
		{rules.Client{IP: "192.0.2.1"}, []string{"192.0.2.1", "192.0.2.", "192.", "192.0.2.1/32", "192.0.2.0/24", "192.0.0.0/9", "128.0.0.0/1", "0.0.0.0/0", ""}},
	} {
		for i, address := range tt.order {
			text := ""
			for _, a := range tt.order[i:] {
				text = a + ":allow,RULE=\"" + a + "\"\n" + text
			}
			d, err := build(t, text).Lookup(tt.c)
			if err != nil || !d.Found || d.Env[0].Value != address || rules.AddressOf(d.Key) != address {
				t.Errorf("%s: %+v, %v, want the rule for %s", tt.c.IP, d, err, address)
			}
		}
	}
}

// foreign returns a database with one record, which denies.
func foreign(t *testing.T, key string) *rules.DB {
	t.Helper()
	var m memory
	w, err := cdb.NewWriter(struct{ io.WriteSeeker }{&m}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Put([]byte(key), []byte("D\x00")), w.Close()); err != nil {
		t.Fatal(err)
	}
	return open(t, m.data)
}

// A database of ucspi-tcp6 has addresses of its own form, and blocks.
func TestReadsUcspiTcp6(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key   string
		c     rules.Client
		found bool
	}{
		{"2001:0DB8:0000:0000:0000:0000:0000:000A", rules.Client{IP: "2001:db8::a"}, true},
		{"2001:0DB8:0000:0000:0000:0000:0000:000A", rules.Client{IP: "2001:db8::b"}, false},
		{"joe@2001:0DB8:0000:0000:0000:0000:0000:000A", rules.Client{IP: "2001:db8::a", Info: str("joe")}, true},
		{"joe@2001:0DB8:0000:0000:0000:0000:0000:000A", rules.Client{IP: "2001:db8::a"}, false},
		{"^00`000000000000a0000bc0de0fgh000", rules.Client{IP: "2001:db8::a"}, true},
		{"^00`000000000000a0000bc0de0fgh000", rules.Client{IP: "2001:db9::a"}, false},
		{"_0bcdefgh", rules.Client{IP: "127.0.0.1"}, true},
		{"_0bcdefgh", rules.Client{IP: "126.0.0.1"}, false},
	} {
		d, err := foreign(t, tt.key).Lookup(tt.c)
		if err != nil || d.Found != tt.found || tt.found && d.Key != tt.key {
			t.Errorf("%q for %s: %+v, %v", tt.key, tt.c.IP, d, err)
		}
	}
}

// What a database cannot be read for may be in it.
func TestUnreadDatabase(t *testing.T) {
	t.Parallel()
	var large strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&large, "10.%d.%d.%d:allow,X=%q\n", i>>16, i>>8&255, i&255, strings.Repeat("x", 250))
	}
	all := func(d rules.Decision, err error) bool { return err == nil && len(d.Tried) == 4+33+1 }
	for _, last := range []string{"", "127/8:deny\n"} {
		d, err := build(t, large.String()+last).Lookup(rules.Client{IP: "127.0.0.1"})
		if last == "" && !all(d, err) || last != "" && !d.Deny {
			t.Errorf("a large database: %q, %v", d.Tried, err)
		}
	}
	data := compile(t, "1.:deny\n")
	for name, change := range map[string]func(d []byte){
		"as it is written": func([]byte) {},
		"long key":         func(d []byte) { d[2048] = 0xff },
		"long data":        func(d []byte) { d[2048+4+3] = 0x7f },
		"short data":       func(d []byte) { d[2048+4] = 0 },
	} {
		changed := bytes.Clone(data)
		change(changed)
		d, err := open(t, changed).Lookup(rules.Client{IP: "127.0.0.1"})
		if want := name != "as it is written"; all(d, err) != want {
			t.Errorf("%s: %q, %v", name, d.Tried, err)
		}
	}
	// A gap before the tables, which something could be in.
	gap := append(bytes.Clone(data), data[2048:]...)
	for at := 0; at < 2048; at += 8 {
		start := binary.LittleEndian.Uint32(gap[at:])
		binary.LittleEndian.PutUint32(gap[at:], start+uint32(len(data)-2048))
	}
	if d, err := open(t, gap).Lookup(rules.Client{IP: "127.0.0.1"}); !all(d, err) {
		t.Errorf("gap: %q, %v", d.Tried, err)
	}
}
