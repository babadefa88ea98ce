package domainkey

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
)

// A host is a home whose domain example.com has the keys default and next,
// and name servers that publish both.
type host struct {
	*net
	t    *testing.T
	home string
}

// noon is when tests of the clock take place.
var noon = time.Date(2026, 10, 18, 12, 0, 0, 0, time.UTC)

func newHost(t *testing.T, args ...string) *host {
	t.Helper()
	home := newHome(t)
	zone := keyOf(t, home, append(args, "example.com")...) + keyOf(t, home, append(args, "example.com", "next")...)
	h := &host{newNet(t, twoServers+zone, zone, zone), t, home}
	h.now = func() time.Time { return noon }
	return h
}

func (h *host) file(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(h.home+"/"+name, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) read(name string) string {
	text, _ := os.ReadFile(h.home + "/" + name)
	return string(text)
}

// do runs the program, which must exit with code.
func (h *host) do(code int, args ...string) (stdout, stderr string) {
	h.t.Helper()
	stdout, stderr, got := runIn(h.t, h.world, h.home, h.environ, args...)
	if got != code {
		h.t.Errorf("domainkey %q: exit %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

// signs returns how mail of example.com is signed for a relay client.
func (h *host) signs() string {
	v := way{environ: []string{"QMAILHOME=" + h.home, "RELAYCLIENT="}}
	return v.try(h.t.Context(), "example.com", "", "").how()
}

func TestSwitch(t *testing.T) {
	t.Parallel()
	const matches = "match a.ns.example 192.0.2.1 next._domainkey.example.com\nmatch b.ns.example 192.0.2.2 next._domainkey.example.com\n"
	for _, tt := range []struct {
		name, before, after, want string
	}{
		{"no file", "", "example.com:control/domainkeys/%/next\n",
			"line 1; so far signed with s=default\nkeep default published until 2026-11-01 12:00 UTC, then: domainkey -r example.com default\n"},
		{"own line", "# keys\nexample.com:control/domainkeys/%/default:DKIMEXPIRE=60\n*:x/%/y\n", "# keys\nexample.com:control/domainkeys/%/next:DKIMEXPIRE=60\n*:x/%/y\n",
			"line 2; so far signed with s=default\nkeep default published until 2026-10-25 12:01 UTC, then: domainkey -r example.com default\n"},
		{"no x=", "*:control/domainkeys/%/default:DKIMEXPIRE=\n", "example.com:control/domainkeys/%/next:DKIMEXPIRE=\n*:control/domainkeys/%/default:DKIMEXPIRE=\n",
			"line 1; so far signed with s=default\nkeep default published until 2026-10-25 12:00 UTC at least, as its signatures do not expire, then: domainkey -r example.com default\n"},
		{"signed no more", "example.com:\n", "example.com:control/domainkeys/%/next\n", "line 1; so far unsigned\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-b", "1024")
			if tt.before != "" {
				h.file("control/dkimkeys", tt.before)
			}
			stdout, stderr := h.do(0, "-s", "example.com", "next")
			want := matches + "switched example.com to s=next from the next message on: control/dkimkeys " + tt.want
			if stdout != want || stderr != "" {
				t.Errorf("%s%swant\n%s", stdout, stderr, want)
			}
			if got := h.read("control/dkimkeys"); got != tt.after || h.signs() != "signed with s=next" {
				t.Errorf("dkimkeys %q, want %q; %s", got, tt.after, h.signs())
			}
			// A second time nothing changes.
			stdout, stderr = h.do(0, "-s", "example.com", "next")
			if stdout != matches+"example.com is signed with s=next already\n" || stderr != "" || h.read("control/dkimkeys") != tt.after {
				t.Errorf("again: %s%s", stdout, stderr)
			}
		})
	}
}

func TestSwitchRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		make  func(h *host)
		code  int
		fatal string
	}{
		{"not published", func(h *host) { h.do(0, "-b", "1024", "example.com", "other") }, 1, "not every name server publishes the key"},
		{"no such key", func(*host) {}, 1, "unable to find a key of example.com with the selector other"},
		{"the key is no key", func(h *host) { h.file("control/domainkeys/example.com/other", "x") }, 111, "unable to use the key control/domainkeys/example.com/other"},
	} {
		h := newHost(t, "-b", "1024")
		h.file("control/dkimkeys", "# ours\n")
		tt.make(h)
		_, stderr := h.do(tt.code, "-s", "example.com", "other")
		if !strings.Contains(stderr, "domainkey: fatal: ") || !strings.Contains(stderr, tt.fatal) || h.read("control/dkimkeys") != "# ours\n" || h.signs() != "signed with s=default" {
			t.Errorf("%s: %s", tt.name, stderr)
		}
	}
	for _, tt := range []struct{ name, keys, rules, warning string }{
		{"bad settings", "example.com:control/domainkeys/%/default:DKIMEXPIRE", "", "a relay client: mail of example.com is refused (reason=bad-dkimkeys)"},
		{"bad options", "example.com:control/domainkeys/%/default:DKIMEXPIRE=x", "", "a relay client: mail of example.com is refused (reason=bad-options)"},
		{"turned off", "", `:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",NODKIMKEYS=""`, `line 1: mail of example.com is signed with s=default (NODKIMKEYS="")`},
		{"not to be signed", "", `:allow,QMAILQUEUE="bin/qmail-dkim",DKIMSIGN=""`, `line 1: mail of example.com is unsigned (DKIMSIGN="")`},
		{"of another folder", "", `:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",CONTROLDIR="else"`, `line 1: mail of example.com is signed with s=default (CONTROLDIR="else")`},
	} {
		h := newHost(t, "-b", "1024")
		h.file("control/dkimkeys", tt.keys)
		args := []string{"-s", "example.com", "next"}
		if tt.rules != "" {
			h.file("tcp.smtp", tt.rules+"\n")
			args = append([]string{"-f", h.home + "/tcp.smtp"}, args...)
		}
		_, stderr := h.do(1, args...)
		if !strings.Contains(stderr, "domainkey: warning: ") || !strings.Contains(stderr, tt.warning) || !strings.HasSuffix(stderr, ": the next message would not be signed with it\n") {
			t.Errorf("%s: %s", tt.name, stderr)
		}
		if names, _ := os.ReadDir(h.home + "/control"); h.read("control/dkimkeys") != tt.keys || len(names) != 2 || h.read("control/domainkeys/example.com/.switched") != "" {
			t.Errorf("%s: something has changed: %v", tt.name, names)
		}
	}
}

// A server that cannot be asked may be the one that has not got the key yet.
func TestSwitchUnasked(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	h.file("control/dkimkeys", "# ours\n")
	failing := netip.MustParseAddrPort(testprog.NameServer(t, "* SERVFAIL", dnsserver.Start).Addr())
	servers := h.server
	h.server = func(a netip.Addr) netip.AddrPort {
		if a == netip.MustParseAddr("192.0.2.2") {
			return failing
		}
		return servers(a)
	}
	_, stderr := h.do(111, "-s", "example.com", "next")
	if want := "domainkey: fatal: unable to switch example.com to next: not every name server can be asked\n"; stderr != want || h.read("control/dkimkeys") != "# ours\n" || h.signs() != "signed with s=default" {
		t.Errorf("%swant %s", stderr, want)
	}
}

// With DKIMPREFLIGHT what counts is what qmail-dkim's resolver has, which may
// remember for a while that there was no such key.
func TestSwitchPreflight(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	known := h.environ
	h.environ = newNet(t, twoServers).environ
	h.file("tcp.smtp", `:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMPREFLIGHT="unsigned"`+"\n")
	_, stderr := h.do(1, "-s", "-f", h.home+"/tcp.smtp", "example.com", "next")
	if !strings.Contains(stderr, "line 1: mail of example.com is unsigned (reason=key-missing)\n") || h.read("control/dkimkeys") != "" {
		t.Errorf("%s", stderr)
	}
	h.environ = known
	if _, stderr := h.do(0, "-s", "-f", h.home+"/tcp.smtp", "example.com", "next"); stderr != "" {
		t.Errorf("%s", stderr)
	}
}

// Rules in which only some mail will be signed with the key are named.
func TestSwitchRules(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-t", "both", "-b", "1024")
	h.file("control/dkimkeys", "*:control/domainkeys/%/default\nexample.com:old\n")
	h.file("control/dkimrcpts", "nobody@example.net\n")
	name := h.home + "/tcp.smtp"
	h.file("tcp.smtp", `127.:allow,RELAYCLIENT=""
10.1.:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMKEY="control/domainkeys/%/default"
10.2.:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",NODKIMKEYS=""
10.3.:deny,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",NODKIMKEYS="x"
10.4.:allow,RELAYCLIENT="",QMAILQUEUE="/usr/local/bin/qmail-dkim",DKIMDOMAIN="other.example"
10.5.:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",NODKIMKEYS=""
10.6.:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMSIGNOPTIONS="-x abc"
10.7.:allow,DKIMSIGN="",QMAILQUEUE="bin/qmail-dkim"
10.8.:allow,QMAILQUEUE="bin/qmail-dkim",NODKIMKEYS="",DKIMKEY="control/domainkeys/%/default"
10.9.:allow
:allow,DKIMVERIFY="X",QMAILQUEUE="bin/qmail-dkim"
`)
	_, stderr := h.do(0, "-s", "-f", name, "example.com", "next")
	want := `domainkey: warning: NAME lines 3, 6: mail of example.com is signed with s=default and s=default-ed25519 (NODKIMKEYS="")
domainkey: warning: NAME line 5: mail of example.com is unsigned (DKIMDOMAIN="other.example")
domainkey: warning: NAME line 7: mail of example.com is refused (reason=bad-options)
domainkey: warning: NAME line 8: mail of example.com is unsigned (DKIMSIGN="")
domainkey: warning: NAME line 9: mail of example.com is signed with s=default and s=default-ed25519 (NODKIMKEYS="")
domainkey: warning: NAME line 1: nothing is signed unless tcpserver's own environment makes QMAILQUEUE run qmail-dkim
domainkey: warning: control/dkimkeys line 3 never counts: line 1 does
`
	if got := strings.ReplaceAll(stderr, name, "NAME"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	// Some still sign with the old key.
	if got := h.read("control/domainkeys/example.com/.switched"); got != "" {
		t.Errorf("noted %q", got)
	}
	h.file("control/dkimkeys", "example.com:control/domainkeys/%/next:DKIMSIGNEXTRA=control/domainkeys/%/default\n")
	if _, stderr := h.do(0, "-s", "example.com", "next"); !strings.Contains(stderr, "domainkey: warning: a relay client makes a second signature, with s=default\n") {
		t.Errorf("%s", stderr)
	}
}

// When the keys ceased to sign is kept where the keys are.
func TestSwitchIsNoted(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-t", "both", "-b", "1024")
	stdout, _ := h.do(0, "-s", "example.com", "next")
	if !strings.HasSuffix(stdout, "\nkeep default and default-ed25519 published until 2026-11-01 12:00 UTC, then: domainkey -r example.com default\n") {
		t.Errorf("%s", stdout)
	}
	h.now = func() time.Time { return noon.Add(time.Hour) }
	h.do(0, "-s", "example.com", "default")
	want := `2026-10-18T12:00:00Z default next 604800
2026-10-18T12:00:00Z default-ed25519 next 604800
2026-10-18T13:00:00Z next default 604800
2026-10-18T13:00:00Z next-ed25519 default 604800
`
	if got := h.read("control/domainkeys/example.com/.switched"); got != want {
		t.Errorf("noted %q", got)
	}
}

// The file keeps its mode, its owner and, as a link, its place.
func TestSwitchKeepsTheFile(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	h.file("keys", "")
	link := h.home + "/control/dkimkeys"
	if err := os.Symlink("../keys", link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(h.home+"/keys", 0o640); err != nil {
		t.Fatal(err)
	}
	uid := uint32(os.Getuid())
	if uid == 0 {
		uid = 65533
		if err := os.Chown(h.home+"/keys", int(uid), -1); err != nil {
			t.Fatal(err)
		}
	}
	h.do(0, "-s", "example.com", "next")
	st, err := os.Stat(h.home + "/keys")
	if err != nil || st.Mode() != 0o640 || st.Sys().(*syscall.Stat_t).Uid != uid {
		t.Errorf("%v, %v", st, err)
	}
	if to, err := os.Readlink(link); err != nil || to != "../keys" || h.signs() != "signed with s=next" {
		t.Errorf("link to %q, %v; %s", to, err, h.signs())
	}
}

// Of switches at the same time none is lost.
func TestSwitchTogether(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	h.file("control/dkimkeys", "# ours\n")
	ctx := t.Context()
	var domains []string
	for _, c := range "abcdefgh" {
		domains = append(domains, string(c)+".example")
	}
	var zone string
	for _, d := range domains {
		zone += keyOf(t, h.home, "-t", "ed25519", d, "next")
	}
	n := newNet(t, "example NS a.ns.example\na.ns.example A 192.0.2.1", zone)
	var together sync.WaitGroup
	codes := make([]int, len(domains))
	for i, d := range domains {
		together.Go(func() {
			env := &prog.Env{Name: "domainkey", Args: []string{"-s", d, "next"}, Stdout: discard{}, Stderr: discard{},
				Environ: append([]string{"QMAILHOME=" + h.home}, n.environ...)}
			codes[i] = prog.Report(env, n.run(ctx, env))
		})
	}
	together.Wait()
	lines := strings.Split(strings.TrimSpace(h.read("control/dkimkeys")), "\n")
	slices.Sort(lines)
	want := []string{"# ours"}
	for _, d := range domains {
		want = append(want, d+":control/domainkeys/%/next")
	}
	if !slices.Equal(lines, want) || slices.Max(codes) != 0 {
		t.Errorf("%q, exits %d", lines, codes)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// A write that fails changes nothing.
func TestSwitchUnwritable(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-b", "1024")
	h.file("control/dkimkeys", "# ours\n")
	if err := os.Mkdir(h.home+"/control/domainkeys/example.com/.switched", 0o755); err != nil {
		t.Fatal(err)
	}
	_, stderr := h.do(111, "-s", "example.com", "next")
	if stderr != "domainkey: fatal: unable to note the time in control/domainkeys/example.com: is a directory\n" || h.read("control/dkimkeys") != "# ours\n" {
		t.Errorf("%s", stderr)
	}
	if err := os.Mkdir(h.home+"/control/dkimkeys.d", 0o755); err != nil {
		t.Fatal(err)
	}
	os.Remove(h.home + "/control/dkimkeys")
	if err := os.Symlink("dkimkeys.d", h.home+"/control/dkimkeys"); err != nil {
		t.Fatal(err)
	}
	if _, stderr := h.do(111, "-s", "example.com", "next"); stderr != "domainkey: fatal: unable to read control/dkimkeys: not a regular file\n" {
		t.Errorf("%s", stderr)
	}
}
