package dns

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestQualify(t *testing.T) {
	for _, tt := range []struct{ rules, host, want string }{
		{"", "a.b", "a.b"},
		{"=a:b", "a", "b"},
		{"=A:b", "a", "b"},
		{"=a:b", "xa", "xa"},
		{"=:b", "", "b"},
		{"*.x:.y", "a.b.X", "a.b.y"},
		{"*.x:.y", "a.b", "a.b"},
		{"*:.y", "a", "a.y"},
		{"?:.y", "a", "a.y"},
		{"?:.y", "a.b", "a.b"},
		{"?:.y", "[1]", "[1]"},
		{"?.x:.y", "a.x", "a.y"},
		{"?.x:.y", "a.b.x", "a.b.x"},
		{"-.x:new", "a.b.x", "new"},
		{"-.x:new", "a.b", "a.b"},
		{"-:new", "a", "new"},
		{"#=a:b", "a", "a"},
		{"=a", "a", "a"},
		{"a:b", "a", "a"},
		{"=a:b:c", "a", "b:c"},
		{"=a:b\n=b:c\n*c:d", "a", "d"},
		{"=a:b \t\r\n", "a", "b"},
		{" =a:b", "a", "a"},
		{"?:+.x+.y", "a", "a.x a.y"},
		{"?:+.x+.y\n*.:", "a.", "a"},
		{"?:+.x", "a+b", "ab a.x"},
		{"", "a+", "a"},
		{"", "+a+b", "a b"},
	} {
		if got := strings.Join(qualify(tt.host, rewriteRules([]byte(tt.rules))), " "); got != tt.want {
			t.Errorf("qualify(%q) by %q = %q, want %q", tt.host, tt.rules, got, tt.want)
		}
	}
}

func TestReadRules(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	rewrite := file("dnsrewrite", "=a:b\r\n# end")
	none := filepath.Join(dir, "none")
	search := file("resolv.conf", "nameserver 1.2.3.4\nsearch a.x \t b.x\nsearch c.x\n")
	domain := file("domain.conf", "searching x\ndomain\ta.x")
	bare := file("bare.conf", "search \n")
	host := []string{"*.:"}
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") {
		host = []string{"?:" + name[strings.IndexByte(name, '.'):], "*.:"}
	}
	for _, tt := range []struct {
		vars          map[string]string
		rewrite, conf string
		want          []string
	}{
		{nil, rewrite, search, []string{"=a:b", "# end"}},
		{map[string]string{"DNSREWRITEFILE": rewrite, "LOCALDOMAIN": "x"}, none, search, []string{"=a:b", "# end"}},
		{map[string]string{"DNSREWRITEFILE": none}, rewrite, search, []string{"?:+.a.x+.b.x", "*.:"}},
		{map[string]string{"DNSREWRITEFILE": ""}, rewrite, search, []string{"?:+.a.x+.b.x", "*.:"}},
		{map[string]string{"DNSREWRITEFILE": dir}, rewrite, search, nil},
		{map[string]string{"LOCALDOMAIN": "a  b"}, none, search, []string{"?:+.a+.+.b", "*.:"}},
		{map[string]string{"LOCALDOMAIN": ""}, none, search, []string{"?:+.", "*.:"}},
		{nil, none, domain, []string{"?:+.a.x", "*.:"}},
		{nil, none, bare, []string{"?:", "*.:"}},
		{nil, none, none, host},
		{nil, none, dir, nil},
	} {
		r := New(func(name string) (string, bool) { value, set := tt.vars[name]; return value, set })
		r.rewriteFile, r.resolvConf = tt.rewrite, tt.conf
		got, err := r.readRules()
		if !slices.Equal(got, tt.want) || (err != nil) != (tt.want == nil) {
			t.Errorf("readRules with %v, %s, %s = %q, %v, want %q", tt.vars, tt.rewrite, tt.conf, got, err, tt.want)
		}
	}
}

func FuzzQualify(f *testing.F) {
	f.Add([]byte("?:+.x+.y\n*.:\n"), "a")
	f.Add([]byte("=a:b\n-c:d\n*:+\n"), "a+b")
	f.Fuzz(func(t *testing.T, rules []byte, host string) {
		for _, name := range qualify(host, rewriteRules(rules)) {
			if strings.Contains(name, "+") {
				t.Errorf("name %q", name)
			}
			literal(name)
		}
	})
}
