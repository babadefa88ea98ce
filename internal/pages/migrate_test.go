package pages

import (
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// oldRules are those of the host that migrates.
const oldRules = `# the office
192.0.2.10:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMKEY="control/domainkeys/%/default",DKIMSIGNOPTIONS="-z 2"
127.:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMKEY="control/domainkeys/%/default"
192.0.2. allow
:allow,DKIMVERIFY="FGHIKLMNOQRTUVWjp",QMAILQUEUE="bin/qmail-dkim"
`

// A user follows docs/migrate.md, from a host with the C programs and back. Here
// the C programs are played by ours.
func TestMigrate(t *testing.T) {
	t.Parallel()
	migrate(t, testprog.Dir(t))
}

// migrate follows the page where the C programs are in the folder theirs.
func migrate(t *testing.T, theirs string) {
	page := testprog.ReadPage(t, "docs/migrate.md")
	h := newHost(t, theirs)
	h.configure(oldRules)
	notice := message(t, "notice.eml")
	h.files(map[string]string{
		"message":       notice,
		"session":       session("office@example.com", "hanako@example.net", notice),
		"Maildir/cur/1": message(t, "rfc8463.eml"),
		"Maildir/cur/2": message(t, "rfc8463-tampered.eml"),
		"Maildir/cur/3": notice,
	})
	h.publish(message(t, "rfc8463.zone"))
	h.shell.run("cd " + root(t))
	h.follow(&page, "install")
	h.shell.run("cd " + h.top + "/home")
	h.follow(&page, "rules", "check", "mailpath", "verify", "sign", "try", "server", "session")
	if got := h.run("cat /var/qmail/queue/todo/*"); strings.Count(got, "Thanako@example.net\x00") != 1 {
		t.Errorf("the queue has %q", got)
	}
	h.follow(&page, "dkim")
	if got := h.run("readlink -f /var/qmail/bin/qmail-dkim"); got != "/opt/ucspi-go/bin/qmail-dkim\n" {
		t.Errorf("changed over, qmail-dkim is %s", got)
	}
	h.follow(&page, "back")
	if got := h.run("cd /var/qmail/bin; ls qmail-dkim*"); got != "qmail-dkim\n" {
		t.Errorf("back again, there is %s", got)
	}
}
