//go:build conformance

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/qmailqueue"
	"ucspi-go/internal/site"
	"ucspi-go/internal/testprog"
)

// A debian is a root with nothing but what every Debian has.
type debian struct {
	t    *testing.T
	root string
	deb  string // the package, inside the root
}

// newDebian unpacks root.tar of the folder $DEBIAN_ROOT, which CI makes. The
// test must be in a process with mounts and a network of its own.
func newDebian(t *testing.T) *debian {
	t.Helper()
	d := &debian{t: t, root: filepath.Join(t.TempDir(), "root"), deb: "/tmp/ucspi-go.deb"}
	if err := os.Mkdir(d.root, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xf", filepath.Join(peers(t), "root.tar"), "-C", d.root).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v %s", err, out)
	}
	d.write("/etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n") // nobody pulls the plug
	d.put(one(t, packages(t), "*_amd64.deb"), d.deb)
	return d
}

// peers returns the folder that holds root.tar and Debian's own packages.
func peers(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DEBIAN_ROOT")
	if dir == "" {
		testprog.Missing(t, "DEBIAN_ROOT, a folder with a Debian's root.tar and ucspi-tcp_*.deb")
	}
	return dir
}

// put copies a file into the root.
func (d *debian) put(file, name string) {
	d.t.Helper()
	if out, err := exec.Command("cp", file, d.root+name).CombinedOutput(); err != nil {
		d.t.Fatalf("cp: %v %s", err, out)
	}
}

// write makes or extends a file in the root.
func (d *debian) write(name, text string) {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.root+name), 0o755); err != nil {
		d.t.Fatal(err)
	}
	f, err := os.OpenFile(d.root+name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// command is a shell command in the root.
func (d *debian) command(script string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-ec", script)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root}
	return cmd
}

// run runs a shell command, which must succeed, and returns what it prints.
func (d *debian) run(script string) string {
	d.t.Helper()
	out, err := d.command(script).CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// files lists what is under /usr, with modes and owners.
func (d *debian) files() string {
	d.t.Helper()
	return d.run(`find /usr -printf '%p %m %u %g %l\n' | sort`)
}

// The package is installed into a clean Debian, which then is made the host of
// the notes by the commands of README.Debian: as C qmail's users, with a
// qmail-queue that dpkg keeps set-user-ID. A message leaves signed, and is
// verified when it comes back. Removing the package leaves nothing. Last it
// takes the place of Debian's ucspi-tcp.
func TestConformanceDebian(t *testing.T) {
	if os.Geteuid() != 0 {
		testprog.Missing(t, "root, which dpkg needs")
	}
	peers(t)
	t.Setenv("UCSPI_GO_DIST", packages(t))
	if !testprog.OwnNetwork(t) {
		return
	}
	d := newDebian(t)
	clean := d.files()
	d.run("dpkg -i " + d.deb)
	if out := d.run("dpkg --verify ucspi-go; dpkg --audit; find / -xdev -perm /6000 -path '*ucspi-go*'"); out != "" {
		t.Errorf("after the installation: %s", out)
	}

	d.qmailHost()
	signing, receiving, removing := d.readme()
	record := d.run(signing)
	d.run(receiving)
	d.run("dpkg -i " + d.deb)                                                  // as an upgrade does
	d.run("test -x /usr/lib/ucspi-go/dknewkey && ! test -e /usr/bin/dknewkey") // python3-dkim's
	if got := strings.TrimSpace(d.run("stat -c '%a %U %G' /usr/lib/ucspi-go/qmail-queue")); got != "4711 qmailq qmail" {
		t.Errorf("qmail-queue is %s", got)
	}
	d.mail(record)

	d.run(removing)
	d.run("dpkg --remove ucspi-go")
	if now := d.files(); now != clean {
		t.Errorf("the removal leaves %q", difference(now, clean))
	}
	if out := d.run("dpkg-query -W -f '${Status}' ucspi-go 2>&1 || true"); !strings.Contains(out, "no packages found") {
		t.Errorf("dpkg still knows the package: %s", out)
	}
	d.replaces()
}

// qmailHost makes the users and folders of qmail, and the two rules.
func (d *debian) qmailHost() {
	t := d.t
	t.Helper()
	d.write("/etc/passwd", "qmaild:x:7791:2107::/var/qmail:/usr/sbin/nologin\nqmailq:x:7794:2108::/var/qmail:/usr/sbin/nologin\n")
	d.write("/etc/group", "nofiles:x:2107:\nqmail:x:2108:\n")
	d.write("/var/qmail/control/me", "mail.example.com\n")
	d.write("/var/qmail/control/rcpthosts", "example.com\n")
	rules, err := os.ReadFile("../../testdata/site/tcp.smtp")
	if err != nil {
		t.Fatal(err)
	}
	d.write("/etc/tcp.smtp", strings.Replace(string(rules), "192.0.2.10", "127.0.0.1", 1))
	if err := qmailqueue.Layout(filepath.Join(d.root, "var/qmail/queue"), false); err != nil {
		t.Fatal(err)
	}
	d.run("mkdir /var/qmail/bin; chown -R qmailq:qmail /var/qmail/queue; chmod -R go-w,o= /var/qmail/queue/mess")
}

// readme returns the three blocks of commands in README.Debian.
func (d *debian) readme() (signing, receiving, removing string) {
	d.t.Helper()
	var blocks []string
	inside := false
	for line := range strings.Lines(d.run("cat /usr/share/doc/ucspi-go/README.Debian")) {
		command, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented && inside:
			blocks[len(blocks)-1] += command
		case indented:
			blocks = append(blocks, command)
		}
		inside = indented
	}
	if len(blocks) != 3 {
		d.t.Fatalf("README.Debian has %d blocks of commands: %q", len(blocks), blocks)
	}
	return blocks[0], blocks[1], blocks[2]
}

// mail serves SMTP in the root, and checks what becomes of messages when the
// record that domainkey printed is published.
func (d *debian) mail(record string) {
	t := d.t
	t.Helper()
	name, text, err := site.SplitRecord(record[strings.Index(record, "default._domainkey"):])
	if err != nil {
		t.Fatal(err)
	}
	zone, err := dnsserver.ParseZone(name + " TXT " + text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	dns, err := dnsserver.Start(zone)
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	cmd := d.command(`exec tcpserver -1 -v -R -H -l mail.example.com -x /etc/tcp.smtp.cdb -u 7791 -g 2107 127.0.0.1 0 /var/qmail/bin/qmail-smtpd`)
	cmd.Env = append(cmd.Env, "DNSCACHEIP="+dns.Addr())
	server, err := testprog.StartServer(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	s := &site.Site{Config: site.Config{Dir: filepath.Join(d.root, "var/qmail"), Domain: "example.com"}, Addr: "127.0.0.1:" + server.Port}
	known := make(map[uint64]bool)
	send := func(from, text string) site.Message {
		t.Helper()
		reply, err := s.Send(from, "joe@example.com", "ann@example.com", []byte(text))
		if err != nil || !strings.HasPrefix(reply, "250 ok ") {
			t.Fatalf("reply %q, %v; log:\n%s", reply, err, server.Log())
		}
		queued, err := s.Queued()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(queued, func(m site.Message) bool { return !known[m.Number] })
		if i < 0 {
			t.Fatal("nothing new in the queue")
		}
		known[queued[i].Number] = true
		return queued[i]
	}

	signed := send("127.0.0.1", "From: joe@example.com\nSubject: hello\n\nHello.\n")
	if f := signed.Field("DKIM-Signature"); !strings.Contains(f, "d=example.com;") || !strings.Contains(f, "s=default;") {
		t.Errorf("the relay client's message has %q; log:\n%s", f, server.Log())
	}
	verified := send("127.0.0.2", string(signed.Text))
	if f := verified.Field("Authentication-Results"); !strings.Contains(f, "dkim=pass") || !strings.Contains(f, "header.d=example.com") {
		t.Errorf("the message that came back has %q; log:\n%s", f, server.Log())
	}
	reply, err := s.Send("127.0.0.2", "joe@example.com", "ann@example.com", append(signed.Text, "More.\n"...))
	if err != nil || !strings.HasPrefix(reply, "554 ") {
		t.Errorf("a message that was changed: %q, %v", reply, err)
	}
	d.queueIsOf(7794)
}

// queueIsOf checks that the messages of the queue belong to a user.
func (d *debian) queueIsOf(uid uint32) {
	d.t.Helper()
	err := filepath.WalkDir(filepath.Join(d.root, "var/qmail/queue/mess"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != uid {
			d.t.Errorf("%s is not of the user %d", path, uid)
		}
		return err
	})
	if err != nil {
		d.t.Error(err)
	}
}

// replaces checks that the package takes the place of Debian's own, for those
// that depend on them too.
func (d *debian) replaces() {
	t := d.t
	t.Helper()
	ours, err := os.ReadFile(filepath.Join(unpack(t, packages(t), "amd64"), "bin", "tcpserver"))
	if err != nil {
		t.Fatal(err)
	}
	d.write("/tmp/needs/DEBIAN/control", "Package: needs\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\nDepends: ucspi-tcp (>= 1:0.88)\n")
	d.run("dpkg-deb --build /tmp/needs /tmp/needs.deb")
	for name, install := range map[string]string{
		"ucspi-tcp": "dpkg -i " + d.deb,
		// Conflicts with whatever provides ucspi-tcp: apt does these two steps.
		"ucspi-tcp-ipv6": "! dpkg -i " + d.deb + " && dpkg --remove ucspi-tcp-ipv6 && dpkg -i " + d.deb,
	} {
		theirs := "/tmp/" + name + ".deb"
		d.put(one(t, peers(t), name+"_*.deb"), theirs)
		d.run("dpkg -i " + theirs)
		d.run(install)
		if out := d.run("dpkg-query -W -f '${Status}' " + name + " 2>&1 || true"); strings.Contains(out, "ok installed") {
			t.Errorf("%s: %s", name, out)
		}
		if got, err := os.ReadFile(filepath.Join(d.root, "usr/bin/tcpserver")); err != nil || string(got) != string(ours) {
			t.Errorf("in the place of %s: tcpserver is not ours, %v", name, err)
		}
		d.run("dpkg -i /tmp/needs.deb && dpkg --purge needs ucspi-go")
	}
}

// Debian's own checker finds no error in the package.
func TestConformanceLintian(t *testing.T) {
	lintian := testprog.Peer(t, "lintian")
	deb := one(t, packages(t), "*_amd64.deb")
	if out, err := exec.Command(lintian, "--allow-root", "--fail-on", "error", deb).CombinedOutput(); err != nil {
		t.Errorf("lintian: %v\n%s", err, out)
	}
}

// difference returns the lines that only one of two texts has.
func difference(a, b string) (lines []string) {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		for line := range strings.Lines(pair[0]) {
			if !strings.Contains(pair[1], line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
