package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/qmailqueue"
	"ucspi-go/internal/testprog"
)

// A host is a mail host as the pages speak of it, below a folder of the test:
// where a page says /etc or /var/qmail, the commands get that folder's etc and
// var/qmail. It needs no rights. Commands run in its folder home, with the
// files of a user.
type host struct {
	*shell
	t    *testing.T
	top  string // stands before each path of a page
	port string // of the server that runs, for 2525
	dns  *dnsserver.Server
	zone string

	server *testprog.Server // that of the last example with one
	serves string           // its name
}

// newHost makes a host with a name server. Where a page has the C programs, in
// /usr/bin, commands find those of the folder theirs.
func newHost(t *testing.T, theirs string) *host {
	t.Helper()
	h := &host{t: t, top: t.TempDir(), port: "2525"}
	bin := testprog.Dir(t)
	h.files(map[string]string{
		"/var/qmail/control/me":        "mail.example.com\n",
		"/var/qmail/control/rcpthosts": "example.com\n",
		"/etc/resolv.conf":             "nameserver 127.0.0.1\n",
		"/tmp/empty":                   "",
		"/service/empty":               "",
	})
	for _, name := range []string{"/home", "/var/qmail/bin", "/usr"} {
		must(t, os.Mkdir(h.top+name, 0o755))
	}
	must(t, os.Symlink(theirs, h.top+"/usr/bin"))
	programs, err := filepath.Glob(bin + "/qmail-*")
	must(t, err)
	for _, program := range append(programs, bin+"/dkimreport") {
		must(t, os.Symlink(program, h.top+"/var/qmail/bin/"+filepath.Base(program)))
	}
	must(t, qmailqueue.Layout(h.top+"/var/qmail/queue", false))
	h.dns = testprog.NameServer(t, "", dnsserver.Start)
	h.shell = startShell(t, h.top+"/home", h.environ())
	return h
}

// environ is that of the test, without what the programs read.
func (h *host) environ() (env []string) {
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "PATH", "QMAILHOME", "DNSCACHEIP", "QMAILQUEUE", "RELAYCLIENT", "MAILDIR", "SMARTHOST", "TMPDIR", "LANG", "LC_ALL":
		default:
			if !strings.HasPrefix(name, "DKIM") && !strings.HasPrefix(name, "UCSPI_GO_") {
				env = append(env, v)
			}
		}
	}
	bin := testprog.Dir(h.t)
	return append(env, "PATH="+bin+":"+os.Getenv("PATH"), "LC_ALL=C", "BIN="+bin,
		"QMAILHOME="+h.top+"/var/qmail", "TMPDIR="+h.top+"/tmp", "DNSCACHEIP="+h.dns.Addr())
}

// paths are those of a page that are the host's own.
var paths = regexp.MustCompile(`(^|[^A-Za-z0-9_./-])(/etc|/opt|/service|/tmp|/usr/bin/tcp|/var/qmail)\b`)

// outside is what no command may name, but below the host's folder: a path of
// the machine other than its programs.
var outside = regexp.MustCompile(`(^|[^A-Za-z0-9_./-])(~|/(etc|home|opt|root|run|service|srv|tmp|usr/local|var)\b)`)

// here turns the text of a page into that for the host: with the host's own
// paths and port, and without what takes root.
func (h *host) here(text string) string {
	text = strings.NewReplacer(
		" -u `id -u qmaild` -g `id -g qmaild`", "",
		"127.0.0.1 2525", "127.0.0.1 "+h.port,
		":2525", ":"+h.port,
		"domainkey -s ", "domainkey -f /etc/tcp.smtp -s ",
		"domainkey -l", "domainkey -f /etc/tcp.smtp -l",
		"mailpath ", "mailpath -u "+strconv.Itoa(os.Geteuid())+" -x /etc/tcp.smtp.cdb ",
		// The programs that the tests run are there already.
		"make -s install", "make -s -o all install",
	).Replace(text)
	text = shownPort.ReplaceAllString(text, " 127.0.0.1 0 ")
	return paths.ReplaceAllString(text, "${1}"+h.top+"$2")
}

// run returns what a command of a page prints, as the page would show it. (A
// terminal shows no CR.)
func (h *host) run(command string) string {
	h.t.Helper()
	return strings.NewReplacer(h.top, "", ":"+h.port, ":2525", "\r\n", "\n").Replace(h.shell.run(h.command(command)))
}

// command returns what to run for a command of a page.
func (h *host) command(command string) string {
	h.t.Helper()
	command = h.here(command)
	if left := outside.FindString(strings.ReplaceAll(command, h.top, "TOP")); left != "" {
		h.t.Fatalf("would touch %s of the machine: %s", left, command)
	}
	return command
}

// configure gives the host its rules, and a key for example.com that is
// published.
func (h *host) configure(rules string) {
	h.t.Helper()
	h.files(map[string]string{"/etc/tcp.smtp": rules})
	if out := h.run("/usr/bin/tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp"); out != "" {
		h.t.Fatal(out)
	}
	h.run("domainkey example.com")
	h.publish(h.run("domainkey -p example.com"))
}

// publish adds records, as a zone file of the name server has them, or as
// domainkey prints them.
func (h *host) publish(records string) {
	h.t.Helper()
	h.zone += records + "\n"
	zone, err := dnsserver.ParseZone(h.zone)
	must(h.t, err)
	h.dns.Publish(zone)
}

// files makes files of the host; a name without / is in the folder of the
// commands.
func (h *host) files(texts map[string]string) {
	for name, text := range texts {
		if !filepath.IsAbs(name) {
			name = "/home/" + name
		}
		name = h.top + name
		must(h.t, os.MkdirAll(filepath.Dir(name), 0o755))
		must(h.t, os.WriteFile(name, []byte(h.here(text)), 0o644))
	}
}

// session returns the lines of an SMTP session that sends a message.
func session(sender, recipient, text string) string {
	text = strings.ReplaceAll("\n"+text, "\n.", "\n..")[1:]
	return "HELO client.example.com\nMAIL FROM:<" + sender + ">\nRCPT TO:<" + recipient + ">\nDATA\n" + text + ".\nQUIT\n"
}

// root is the top of the source tree.
func root(t *testing.T) string {
	t.Helper()
	dir, err := testprog.Root()
	must(t, err)
	return dir
}

// message returns a message of testdata.
func message(t *testing.T, name string) string {
	t.Helper()
	return testprog.ReadPage(t, "testdata/messages/"+name).Text
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
