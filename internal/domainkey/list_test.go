package domainkey

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// list runs -l and returns its lines with one blank between the columns.
func (h *host) list(code int, args ...string) (lines []string, stderr string) {
	h.t.Helper()
	stdout, stderr := h.do(code, append([]string{"-l"}, args...)...)
	stdout = regexp.MustCompile(` +`).ReplaceAllString(strings.TrimSuffix(stdout, "\n"), " ")
	return strings.Split(stdout, "\n"), stderr
}

// age makes a key file as old as that.
func (h *host) age(name string, days int) {
	h.t.Helper()
	when := noon.Add(-time.Duration(days) * 24 * time.Hour)
	if err := os.Chtimes(h.home+"/control/domainkeys/"+name, when, when); err != nil {
		h.t.Fatal(err)
	}
}

const titles = "domain selector algorithm bits age published use"

func (h *host) wantList(code int, want string, args ...string) {
	h.t.Helper()
	lines, stderr := h.list(code, args...)
	if got := strings.Join(lines, "\n"); got != strings.TrimSpace(titles+want) || stderr != "" {
		h.t.Errorf("%s\n%swant\n%s", got, stderr, want)
	}
}

// What -l says through a rotation.
func TestList(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	h.age("example.com/rsa.private_default", 412)
	h.age("example.com/rsa.private_next", 0)
	h.wantList(0, `
example.com default rsa 1024 412d match signs for a relay client
example.com next rsa 1024 0d match signs nothing
`)
	h.do(0, "-s", "example.com", "next")
	h.wantList(0, `
example.com default rsa 1024 412d match gave way to next on 2026-10-18 12:00 UTC, can be retired after 2026-11-01 12:00 UTC
example.com next rsa 1024 0d match signs by control/dkimkeys line 1
`)
	h.file("control/queuelifetime", "86400\n")
	later := noon.Add(8*24*time.Hour - time.Second)
	h.now = func() time.Time { return later }
	h.wantList(0, `
example.com default rsa 1024 419d match gave way to next on 2026-10-18 12:00 UTC, can be retired after 2026-10-26 12:00 UTC
example.com next rsa 1024 7d match signs by control/dkimkeys line 1
`)
	later = later.Add(time.Second)
	h.wantList(0, `
example.com default rsa 1024 420d match gave way to next on 2026-10-18 12:00 UTC, can be retired
example.com next rsa 1024 8d match signs by control/dkimkeys line 1
`, "example.com")
	h.do(0, "-s", "example.com", "default")
	h.wantList(0, `
example.com default rsa 1024 420d match signs by control/dkimkeys line 1
example.com next rsa 1024 8d match gave way to default on 2026-10-26 12:00 UTC, can be retired after 2026-11-03 12:00 UTC
`)
}

func TestListUses(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-t", "both", "-b", "1024")
	for _, name := range []string{"default", "next"} {
		h.age("example.com/rsa.private_"+name, 1)
		h.age("example.com/ed25519.private_"+name, 1)
	}
	h.file("control/dkimkeys", "#\n*.com:control/domainkeys/%/next\n")
	h.file("tcp.smtp", `10.1.:allow,RELAYCLIENT="",DKIMKEY="control/domainkeys/%/default",NODKIMKEYS=""
10.2.:allow,RELAYCLIENT="",DKIMSIGNOPTIONS="-c s"
10.3.:allow,RELAYCLIENT="",NODKIMKEYS=""
`)
	name := h.home + "/tcp.smtp"
	const next = `
example.com next rsa 1024 1d match signs by control/dkimkeys line 2
example.com next-ed25519 ed25519 256 1d match signs by control/dkimkeys line 2
`
	h.wantList(0, `
example.com default rsa 1024 1d match signs for `+name+` lines 1, 3
example.com default-ed25519 ed25519 256 1d match signs for `+name+` lines 1, 3`+next, "-f", name)

	// One link serves all domains without a key.
	if err := os.Symlink("example.com/rsa.private_default", h.home+"/control/domainkeys/default"); err != nil {
		t.Fatal(err)
	}
	lines, _ := h.list(0, "-f", name)
	if got := lines[len(lines)-1]; len(lines) != 6 || lines[1] != "* default rsa 1024 1d - signs for "+name+" lines 1, 2, 3" {
		t.Errorf("%q", got)
	}
	lines, _ = h.list(0, "-f", name, "example.com")
	if len(lines) != 5 {
		t.Errorf("%q", lines)
	}
}

func TestListTrouble(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	h.age("example.com/rsa.private_default", 1)
	h.age("example.com/rsa.private_next", 1)
	resolve := func(zone string) {
		h.environ = newNet(t, zone).environ
	}
	resolve("default._domainkey.example.com TXT v=DKIM1; p=")
	h.wantList(1, `
example.com default rsa 1024 1d revoked signs for a relay client
example.com next rsa 1024 1d missing signs nothing
`)
	resolve("* SERVFAIL")
	h.wantList(111, `
example.com default rsa 1024 1d temporary signs for a relay client
example.com next rsa 1024 1d temporary signs nothing
`)
	// A key that is no key refuses mail.
	h.file("control/domainkeys/example.com/rsa.private_default", "nothing\n")
	h.age("example.com/rsa.private_default", 1)
	lines, stderr := h.list(1)
	if lines[1] != "example.com default - - 1d - unable to use the key control/domainkeys/example.com/default: no RSA or Ed25519 private key in PEM form" ||
		stderr != "domainkey: warning: a relay client: mail of example.com is refused (reason=bad-key)\n" {
		t.Errorf("%q\n%s", lines, stderr)
	}
	h.file("control/dkimkeys", "example.com:keys/own\n")
	h.file("control/domainkeys/example.com/.switched", "nothing\n2026-10-18T12:00:00Z default next\n2026-10-18 default next 1\n\n")
	if err := os.MkdirAll(h.home+"/keys", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../control/domainkeys/example.com/next", h.home+"/keys/own"); err != nil {
		t.Fatal(err)
	}
	if _, stderr := h.list(111); stderr != "domainkey: warning: a relay client: mail of example.com is signed with keys/own, which is not in control/domainkeys\n" {
		t.Errorf("%s", stderr)
	}
}

func TestListEmpty(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	n := newNet(t, "")
	stdout, stderr, code := runIn(t, n.world, home, n.environ, "-l")
	if stdout != "" || stderr != "domainkey: there are no keys in control/domainkeys\n" || code != 0 {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

// -r prints what it is asked for, and warns of what it would break.
func TestRevokeTooEarly(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	const record = `default._domainkey.example.com. IN TXT ("v=DKIM1; p=")` + "\n"
	stdout, stderr := h.do(0, "-r", "example.com", "default")
	if stdout != record || stderr != "domainkey: warning: a relay client: mail of example.com is still signed with s=default\n" {
		t.Errorf("%s%s", stdout, stderr)
	}
	h.do(0, "-s", "example.com", "next")
	stdout, stderr = h.do(0, "-r", "example.com", "default")
	if stdout != record || stderr != "domainkey: warning: mail that was signed with s=default can be on its way until 2026-11-01 12:00 UTC\n" {
		t.Errorf("%s%s", stdout, stderr)
	}
	// What cannot be read is no reason to print nothing.
	h.file("tcp.smtp", "1:allow,X\n")
	stdout, stderr = h.do(0, "-r", "-f", h.home+"/tcp.smtp", "example.com", "default")
	if stdout != record || !strings.HasPrefix(stderr, "domainkey: warning: unable to read "+h.home+"/tcp.smtp: ") {
		t.Errorf("%s%s", stdout, stderr)
	}
	h.now = func() time.Time { return noon.Add(14 * 24 * time.Hour) }
	if stdout, stderr = h.do(0, "-r", "example.com", "default"); stdout != record || stderr != "" {
		t.Errorf("%s%s", stdout, stderr)
	}
}

// A departures file that somebody else wrote says nothing that is not in it.
func FuzzDepartures(f *testing.F) {
	f.Add("2026-10-18T12:00:00Z default next 604800\n2026-10-18T12:00:00+09:00 a b -\n")
	f.Add("x\n\n2026 a b 1")
	f.Fuzz(func(t *testing.T, text string) {
		for selector, d := range parseDepartures(text) {
			if d.selector != selector || d.life < 0 || !strings.Contains(text, d.next) {
				t.Fatalf("%q: %v", text, d)
			}
			if again := parseDepartures(d.String())[selector]; !again.when.Equal(d.when.Truncate(time.Second)) || again.life != d.life {
				t.Fatalf("%v, then %v", d, again)
			}
			d.end(time.Hour)
		}
	})
}
