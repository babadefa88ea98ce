package mailpath_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/internal/mailpath"
	"ucspi-go/internal/testprog"
)

// stranger is a user whom no file of a test belongs to.
const stranger = 65533

// A place is a qmail home that a stranger may enter.
type place struct {
	t    *testing.T
	home string
	bin  string
}

func newPlace(t *testing.T, rules string) place {
	t.Helper()
	dir := t.TempDir()
	p := place{t, filepath.Join(dir, "q"), filepath.Join(dir, "bin")}
	for _, name := range []string{dir, p.home, p.home + "/control", p.bin, p.home + "/bin"} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"qmail-dkim", "qmail-queue"} {
		testprog.Copy(t, filepath.Join(testprog.Dir(t), program), p.home+"/bin")
	}
	testprog.Copy(t, filepath.Join(testprog.Dir(t), "mailpath"), p.bin)
	p.write("control/me", "mail.example.com\n")
	p.write("control/rcpthosts", "example.com\n")
	p.write("tcp.smtp", rules)
	p.write("message", "From: a@example.com\n\nx\n")
	p.run("sh", "-c", testprog.Dir(t)+"/tcprules tcp.smtp.cdb tmp <tcp.smtp && "+testprog.Dir(t)+"/domainkey example.com")
	return p
}

func (p place) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.home, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) chmod(name string, mode os.FileMode) {
	p.t.Helper()
	if err := os.Chmod(filepath.Join(p.home, name), mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) run(name string, args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	return p.runWith("DNSCACHEIP=127.0.0.1:1", name, args...)
}

// runWith runs a program with a setting of the environment.
func (p place) runWith(setting, name string, args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = p.home, append(os.Environ(), "QMAILHOME="+p.home, "DKIMDNSTIMEOUT=1", setting)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// explain asks for the stranger, or for this user where only root could become
// another one.
func (p place) explain(args ...string) mailpath.Explanation {
	p.t.Helper()
	return p.explainWith("DNSCACHEIP=127.0.0.1:1", args...)
}

func (p place) explainWith(setting string, args ...string) mailpath.Explanation {
	p.t.Helper()
	user := stranger
	if os.Geteuid() != 0 {
		user = os.Geteuid()
	}
	out, stderr, code := p.runWith(setting, p.bin+"/mailpath", append([]string{"-j", "-u", strconv.Itoa(user), "-x", p.home + "/tcp.smtp.cdb"}, args...)...)
	var e mailpath.Explanation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		p.t.Fatalf("exit %d, %v\n%s%s", code, err, out, stderr)
	}
	return e
}

// Permissions are those of the user in question: the folder or file that is
// closed to it is named, with the command that opens it.
func TestPermissions(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "192.0.2.10:allow,RELAYCLIENT=\"\",QMAILQUEUE=\"bin/qmail-dkim\"\n")
	const key = "control/domainkeys/example.com"
	for _, name := range []string{"control/domainkeys", key} {
		p.chmod(name, 0o755)
	}
	private := key + "/rsa.private_default"
	p.chmod(private, 0o644)
	if e := p.explain("192.0.2.10", "message"); e.Reply != "250 ok" || e.Signing == nil || len(e.Signing.Signatures) != 1 {
		t.Fatalf("with all open: %+v", e)
	}
	for _, tt := range []struct {
		name       string
		mode       os.FileMode
		text, mend string
	}{
		{private, 0, "/rsa.private_default may not be read by ", "as root: chown "},
		{key, 0o600, "the folder " + p.home + "/" + key + " may not be entered by ", "as root: chmod 711 " + p.home + "/" + key + ", or chown "},
		{"control/domainkeys", 0, "the folder " + p.home + "/control/domainkeys may not be entered by ", "as root: chmod 711 "},
	} {
		st, err := os.Stat(filepath.Join(p.home, tt.name))
		if err != nil {
			t.Fatal(err)
		}
		p.chmod(tt.name, tt.mode)
		e := p.explain("192.0.2.10", "message")
		p.chmod(tt.name, st.Mode().Perm())
		if e.Exit != 1 || e.Reply != "451 qmail-dkim: unable to read private key. (#4.3.0)" || len(e.Faults) != 1 ||
			!strings.Contains(e.Faults[0].Text, tt.text) || !strings.HasPrefix(e.Faults[0].Mend, tt.mend) {
			t.Errorf("%s: %+v", tt.name, e)
		}
		if k := e.Signing.Keys; len(k) != 1 || k[0] != (mailpath.KeyTry{Path: key + "/default", Error: "access denied"}) {
			t.Errorf("%s: keys %+v", tt.name, k)
		}
	}
	p.chmod("bin/qmail-dkim", 0o644)
	if e := p.explain("192.0.2.10"); e.Queue.Error != "access denied" || len(e.Faults) != 1 || !strings.Contains(e.Faults[0].Text, "/bin/qmail-dkim may not be executed by ") {
		t.Errorf("a program that cannot be executed: %+v", e)
	}
}

// The message and the text of the rules are read before the user changes, the
// database after, as tcpserver does.
func TestReadsAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	t.Parallel()
	p := newPlace(t, ":allow,QMAILQUEUE=\"bin/qmail-dkim\"\n")
	p.chmod("message", 0o600)
	p.chmod("tcp.smtp", 0o600)
	if e := p.explain("192.0.2.10", "message"); e.Verifying == nil || e.Connection.Line != 1 || e.User != "65533" {
		t.Errorf("%+v", e)
	}
	p.chmod("tcp.smtp.cdb", 0o600)
	_, stderr, code := p.run(p.bin+"/mailpath", "-u", "65533", "-x", "tcp.smtp.cdb", "192.0.2.10")
	if want := "mailpath: fatal: unable to read tcp.smtp.cdb as 65533: access denied\n"; code != 111 || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

// Who is not root cannot ask for another user.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can")
	}
	t.Parallel()
	p := newPlace(t, ":allow\n")
	_, stderr, code := p.run(p.bin+"/mailpath", "-u", "0", "-x", "tcp.smtp.cdb", "192.0.2.10")
	if code != 111 || !strings.HasPrefix(stderr, "mailpath: fatal: unable to become root: permission denied\nmailpath: hint: -u takes root\n") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
