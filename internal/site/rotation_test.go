package site_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/site"
	"ucspi-go/internal/testprog"
)

// delegation is example.com with two name servers, of which the second has an
// address, too, that no packet can leave for.
const delegation = `
example.com NS ns1.example.com
example.com NS ns2.example.com
ns1.example.com A 127.0.0.1
ns2.example.com A 127.0.0.2
ns2.example.com AAAA 2001:db8::2
`

// A rotation is a site whose domain's name servers are on port 53.
type rotation struct {
	*site.Site
	t       *testing.T
	lagging *dnsserver.Server // the second name server
	zone    string            // of the first
}

func startRotation(t *testing.T) *rotation {
	t.Helper()
	r := &rotation{t: t, Site: start(t, site.Config{DNS: "127.0.0.1:53", Zone: delegation})}
	r.zone = delegation + r.Record + "\n"
	r.lagging = testprog.NameServer(t, r.zone, func(z dnsserver.Zone) (*dnsserver.Server, error) {
		return dnsserver.StartAt("127.0.0.2:53", z)
	})
	return r
}

// publish puts a zone on the first name server, and on the second if that does
// not lag.
func (r *rotation) publish(zone string, lagging bool) {
	r.t.Helper()
	r.zone = zone
	z, err := dnsserver.ParseZone(zone)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Publish(z)
	if lagging {
		return
	}
	if z, err = dnsserver.ParseZone(zone); err != nil { // each counts its own
		r.t.Fatal(err)
	}
	r.lagging.Publish(z)
}

// sh runs a command line of the page in the site. Rules are those of the site,
// called by the name that they have on the page.
func (r *rotation) sh(command string) (output string, err error) {
	rules := filepath.Join(r.Dir, "etc", "tcp.smtp")
	command = regexp.MustCompile(`domainkey -[lrs]\b`).ReplaceAllString(command, "$0 -f "+rules)
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = r.Dir
	cmd.Env = append(r.Environ(), "PATH="+r.Dir+"/stub:"+r.Bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(out), rules, "/etc/tcp.smtp"), err
}

// weeks makes the old key as if it had been switched away two weeks earlier.
func (r *rotation) weeks() {
	r.t.Helper()
	name := filepath.Join(r.Dir, "control/domainkeys/example.com/.switched")
	text, err := os.ReadFile(name)
	if err != nil {
		r.t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^\d{4}`).ReplaceAll(text, []byte("2020"))
	if err := os.WriteFile(name, text, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// A whole rotation, as docs/keys.md shows it: each command in its place with
// what it prints, through the processes of a host.
func TestRotation(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	r := startRotation(t)
	old := send(t, r.Site, "127.0.0.1", "From: joe@example.com\n"+hello)
	wantField(t, old, "DKIM-Signature", "s=default;")
	before := r.files()
	var next string
	between := map[string]func(){
		"# The record is put into the zone. The second name server does not have it yet.": func() {
			next, _ = r.sh("domainkey -p example.com next")
			r.publish(r.zone+next, true)
		},
		"# It has it.": func() { r.publish(r.zone, false) },
		"# A message is sent.": func() {
			m := send(t, r.Site, "127.0.0.1", "From: joe@example.com\n"+hello)
			wantField(t, m, "DKIM-Signature", "d=example.com;", "s=next;")
			back := send(t, r.Site, "127.0.0.2", string(m.Text))
			wantField(t, back, "Authentication-Results", "dkim=pass", "header.s=next")
			late := send(t, r.Site, "127.0.0.2", string(old.Text))
			wantField(t, late, "Authentication-Results", "dkim=pass", "header.s=default")
		},
		"# Two weeks go by.": r.weeks,
		"# That record takes the place of the old one. The files of the key may go.": func() {
			revoked, _ := r.sh("domainkey -r example.com default")
			r.publish(delegation+next+revoked, false)
			if reply, err := r.Send("127.0.0.2", "joe@example.com", "ann@example.com", old.Text); err != nil || !strings.HasPrefix(reply, "554 ") {
				t.Errorf("old mail: %q, %v", reply, err)
			}
			if out, err := r.sh("rm control/domainkeys/example.com/*default && domainkey -l"); err != nil || strings.Contains(out, "default") {
				t.Errorf("%v\n%s", err, out)
			}
		},
	}
	var got bytes.Buffer
	page := testprog.ReadPage(t, "docs/keys.md")
	for line := range strings.Lines(page.Example(t, "rotation")) {
		command, isCommand := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ ")
		switch act := between[strings.TrimSuffix(line, "\n")]; {
		case isCommand:
			out, _ := r.sh(command)
			got.WriteString(line + out)
		case strings.HasPrefix(line, "#") && act == nil:
			t.Errorf("the test does not know %q", line)
		case act != nil:
			act()
			got.WriteString(line)
		}
	}
	page.ExpectLike(t, "rotation", got.String())
	if after := r.files(); after != before {
		t.Errorf("rules and links were\n%s\nand are\n%s", before, after)
	}
}

// files returns what a change of keys must leave alone.
func (r *rotation) files() string {
	out, err := r.sh("cksum etc/tcp.smtp etc/tcp.smtp.cdb; ls etc; readlink control/domainkeys/example.com/default || echo rsa.private_default")
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// The lines for cron on the page do the same in four mornings.
func TestRotationFromCron(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	r := startRotation(t)
	// What nsupdate is told is kept.
	stub := "#!/bin/sh\ntest \"$*\" = '-k /etc/dkim.key' && cat >>updates\n"
	if err := os.Mkdir(r.Dir+"/stub", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.Dir+"/stub/nsupdate", []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	var jobs []string
	for line := range strings.Lines(testprog.ReadPage(t, "docs/keys.md").Example(t, "cron")) {
		_, command, ok := strings.Cut(line, "  root  ")
		if !ok {
			t.Fatalf("no job: %q", line)
		}
		jobs = append(jobs, strings.ReplaceAll(strings.TrimSpace(command), `\%`, "%"))
	}
	if len(jobs) != 4 {
		t.Fatalf("jobs %q", jobs)
	}
	create, change, retire, watch := jobs[0], jobs[1], jobs[2], jobs[3]
	run := func(command, want string) {
		t.Helper()
		out, _ := r.sh(command)
		if !regexp.MustCompile(`^(?s:` + want + `)$`).MatchString(out) {
			t.Errorf("%s\nprints %q, want %q", command, out, want)
		}
	}
	quiet := ""
	run(watch, quiet)
	run(create, "domainkey: made .*")
	run(change, "domainkey: fatal: unable to switch example.com to s20\\d\\d: not every name server publishes the key\n")
	r.publish(r.zone+r.updates(), false)
	run(change, quiet)
	run(change, quiet)
	m := send(t, r.Site, "127.0.0.1", "From: joe@example.com\n"+hello)
	wantField(t, m, "DKIM-Signature", "s=s20")
	run(retire, quiet)
	if got := r.updates(); got != "" {
		t.Errorf("retired too early: %s", got)
	}
	r.weeks()
	run(retire, quiet)
	if got := r.updates(); got != "default._domainkey.example.com. TXT \"v=DKIM1; p=\"\n" {
		t.Errorf("updates %q", got)
	}
	run(watch, quiet)
	r.publish(delegation, false)
	run(watch, "domain .*example.com +s20\\d\\d +rsa +2048 +0d +missing +signs .*")
}

// updates returns the records that nsupdate was told to add since the last
// time, as lines of a zone.
func (r *rotation) updates() (records string) {
	r.t.Helper()
	name := filepath.Join(r.Dir, "updates")
	text, err := os.ReadFile(name)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if record, ok := strings.CutPrefix(line, "update add "); ok {
			records += strings.Replace(record, " 3600 ", " ", 1)
		}
	}
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		r.t.Fatal(err)
	}
	return records
}
