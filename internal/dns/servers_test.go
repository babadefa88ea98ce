package dns

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func list(servers []netip.AddrPort) string {
	var texts []string
	for _, s := range servers {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, " ")
}

func TestCacheIP(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"127.0.0.1":                    "127.0.0.1:53",
		"1.2.3.4.5.6.7.8":              "1.2.3.4:53 5.6.7.8:53",
		"...1.2.3.4...5.6.7.8..":       "1.2.3.4:53 5.6.7.8:53",
		"1.2.3.4.5.6.7":                "1.2.3.4:53",
		"1.2.3.4 5.6.7.8":              "1.2.3.4:53",
		"1.2.3.4,5.6.7.8":              "1.2.3.4:53",
		" 1.2.3.4":                     "",
		"257.0.0.010":                  "1.0.0.10:53",
		"1.2.3":                        "",
		"host":                         "",
		strings.Repeat("1.2.3.4.", 20): strings.TrimSpace(strings.Repeat("1.2.3.4:53 ", 16)),
		// Ours.
		"127.0.0.1:5353":                   "127.0.0.1:5353",
		"127.0.0.1:5353 [::1]:53,10.0.0.1": "127.0.0.1:5353 [::1]:53 10.0.0.1:53",
		"::1":                              "[::1]:53",
		"[::1]":                            "[::1]:53",
		"fe80::1%2":                        "[fe80::1%2]:53",
		strings.Repeat("127.0.0.1:5 ", 20): strings.TrimSpace(strings.Repeat("127.0.0.1:5 ", 16)),
		// Not ours, so as C.
		"127.0.0.1:":             "127.0.0.1:53",
		"127.0.0.1:x":            "127.0.0.1:53",
		"127.0.0.1:99999":        "127.0.0.1:53",
		"127.0.0.1.1.2.3.4:5353": "127.0.0.1:53 1.2.3.4:53",
		":":                      "",
	} {
		if got := list(cacheIP(text)); got != want {
			t.Errorf("cacheIP(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestNameservers(t *testing.T) {
	for conf, want := range map[string]string{
		"":                         "",
		"nameserver 1.2.3.4":       "1.2.3.4:53",
		"nameserver\t \t1.2.3.4\n": "1.2.3.4:53",
		"search x\nnameserver 1.2.3.4\n#nameserver 9.9.9.9\nnameserver 5.6.7.8 # office\r\n": "1.2.3.4:53 5.6.7.8:53",
		"nameserver ::1\t# here\nnameserver fe80::1%3\n":                                     "[::1]:53 [fe80::1%3]:53",
		" nameserver 1.2.3.4\nnameserver1.2.3.4\nnameserver\nnameserver \nnameserver x\n":    "",
		"nameserver 1.2.3.4x":                      "1.2.3.4:53",
		strings.Repeat("nameserver 1.2.3.4\n", 20): strings.TrimSpace(strings.Repeat("1.2.3.4:53 ", 16)),
	} {
		if got := list(nameservers([]byte(conf))); got != want {
			t.Errorf("nameservers(%q) = %s, want %s", conf, got, want)
		}
	}
}

func TestReadServers(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 1.2.3.4\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ cacheIP, conf, want string }{
		{"5.6.7.8", conf, "5.6.7.8:53"},
		{"5.6.7.8", dir, "5.6.7.8:53"},
		{"", conf, "1.2.3.4:53"},
		{" 5.6.7.8", conf, "1.2.3.4:53"},
		{"", conf + ".none", "127.0.0.1:53"},
		{"0.0.0.0", conf, ""},
		{"0.0.0.0.5.6.7.8", conf, "5.6.7.8:53"},
		{"", dir, "error"},
	} {
		r := New(func(string) (string, bool) { return tt.cacheIP, true })
		r.resolvConf = tt.conf
		servers, err := r.readServers()
		got := list(servers)
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("readServers with %q and %s = %s, want %s", tt.cacheIP, tt.conf, got, tt.want)
		}
	}
}

func TestCache(t *testing.T) {
	var c cache[int]
	reads := 0
	read := func() (int, error) { reads++; return reads, nil }
	if v, _ := c.get(func() (int, error) { return 7, os.ErrInvalid }); v != 7 {
		t.Error(v)
	}
	for range cacheUses {
		if v, err := c.get(read); v != 1 || err != nil {
			t.Fatalf("get = %d, %v", v, err)
		}
	}
	if v, _ := c.get(read); v != 2 {
		t.Errorf("get = %d after %d uses", v, cacheUses)
	}
	c.until = time.Now().Add(-time.Second)
	if v, _ := c.get(read); v != 3 {
		t.Errorf("get = %d after its time", v)
	}
}

func FuzzCacheIP(f *testing.F) {
	f.Add("1.2.3.4.5.6.7.8")
	f.Add("127.0.0.1:5353 [::1]:53")
	f.Add("999.99999999999999999999999.0.010")
	f.Fuzz(func(t *testing.T, text string) {
		if got := cacheIP(text); len(got) > maxServers {
			t.Errorf("%d servers", len(got))
		}
	})
}

func FuzzResolvConf(f *testing.F) {
	f.Add([]byte("search a.example b.example\nnameserver 1.2.3.4\nnameserver ::1\n"))
	f.Add([]byte("domain\t\n"))
	f.Fuzz(func(t *testing.T, conf []byte) {
		if got := nameservers(conf); len(got) > maxServers {
			t.Errorf("%d servers", len(got))
		}
		if domains, found := searchLine(conf); found {
			for _, d := range domains {
				if d == "" || strings.ContainsAny(d, " \t\n") {
					t.Errorf("domain %q", d)
				}
			}
		}
	})
}
