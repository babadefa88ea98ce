package mailpath_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/mailpath"
	"ucspi-go/internal/testprog"
)

// The examples of docs/mailpath.md are what the program says. UPDATE_PAGE writes
// them anew.
func TestPage(t *testing.T) {
	t.Parallel()
	const rules = "# the office\n" +
		"192.0.2.10:allow,RELAYCLIENT=\"\",QMAILQUEUE=\"bin/qmail-dkim\",DKIMKEY=\"control/domainkeys/%/default\",DKIMSIGNOPTIONS=\"-z 2\"\n" +
		":allow,DKIMVERIFY=\"FGHIKLMNOQRTUVWjp\",QMAILQUEUE=\"bin/qmail-dkim\"\n"
	p := newPlace(t, rules)
	for _, name := range []string{"control/domainkeys", "control/domainkeys/example.com"} {
		p.chmod(name, 0o755)
	}
	const private = "control/domainkeys/example.com/rsa.private_default"
	record, _, _ := p.run(testprog.Dir(t)+"/domainkey", "-p", "example.com")
	messages, err := filepath.Abs("../../testdata/messages")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(messages, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	p.write("message", read("notice.eml"))
	p.write("tampered", read("rfc8463-tampered.eml"))
	dns := testprog.NameServer(t, strings.Replace(record, ". IN TXT", " TXT", 1)+read("rfc8463.zone"), dnsserver.Start)
	page := testprog.ReadPage(t, "docs/mailpath.md")
	for _, example := range []struct {
		name    string
		prepare func()
		from    string // the section that the page begins with
	}{
		{"signed", func() { p.chmod(private, 0o640); p.give(private) }, ""},
		{"unreadable", func() { p.chmod(private, 0) }, "Signature"},
		{"stale", func() {
			p.write("tcp.smtp", rules[:strings.Index(rules, ":allow,DKIMV")]+strings.Replace(rules[len("# the office\n"):], "0.2.10", "0.2.11", 1))
		}, ""},
		{"tampered", func() { p.write("tcp.smtp", rules) }, "Signatures"},
	} {
		example.prepare()
		command, _, _ := strings.Cut(page.Example(t, example.name), "\n")
		got := p.example(strings.TrimPrefix(command, "$ mailpath "), dns.Addr(), example.from)
		page.Expect(t, example.name, command+"\n"+got)
	}
}

// give gives a file to the user of explain.
func (p place) give(name string) {
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(p.home, name), stranger, stranger); err != nil {
			p.t.Fatal(err)
		}
	}
}

var ownedBy = regexp.MustCompile(`belongs to \S+, mode \d+`)

// example prints what the page shows of a command: of a host whose qmail home
// is /var/qmail, whose rules are in /etc and whose user is qmaild. From is the
// section that it begins with, empty for the first.
func (p place) example(args, dns, from string) string {
	p.t.Helper()
	e := p.explainWith("DNSCACHEIP="+dns, strings.Fields(args)...)
	e.Connection.Inherited = nil
	text, err := json.Marshal(e)
	if err != nil {
		p.t.Fatal(err)
	}
	host := strings.NewReplacer(p.home+"/tcp.smtp", "/etc/tcp.smtp", p.home, "/var/qmail", " by "+e.User, " by qmaild", "chown "+e.User, "chown qmaild")
	said := ownedBy.ReplaceAllString(host.Replace(string(text)), "belongs to root, mode 600")
	e = mailpath.Explanation{}
	if err := json.Unmarshal([]byte(said), &e); err != nil {
		p.t.Fatal(err)
	}
	e.User = "qmaild"
	shown := mailpath.Show(&e)
	if from != "" {
		_, shown, _ = strings.Cut(shown, "\n"+from+"\n")
		shown = "...\n" + from + "\n" + shown
	}
	return shown
}

// The page names every field of the object, and none that there is not.
func TestPageFields(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(testprog.ReadPage(t, "docs/mailpath.md").Text, "## The object of -j")
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && !regexp.MustCompile(`[|,\x60 ]`+name+`[|,\x60 ]`).MatchString(text) {
				t.Errorf("docs/mailpath.md does not name %s of %s", name, typ.Name())
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[mailpath.Explanation]())
}
