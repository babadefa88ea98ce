package mailpath_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/internal/mailpath"
	"ucspi-go/internal/site"
	"ucspi-go/internal/smtp"
	"ucspi-go/internal/testprog"
)

// The rules of the site, each for one address on loopback.
var clients = []struct{ ip, rule string }{
	{"127.0.0.2", `allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMKEY="control/domainkeys/%/default",DKIMSIGNOPTIONS="-z 2"`},
	{"127.0.0.3", `allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMSIGN="control/domainkeys/%/default",DKIMSIGNEXTRA="control/domainkeys/%/default-ed25519"`},
	{"127.0.0.4", `allow,DKIMVERIFY="FGHIKLMNOQRTUVWjp",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.5", `allow,DKIMVERIFY="su",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.6", `allow,QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.7", `allow,DKIMVERIFY="SU",DKIMDRYRUN="",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.8", `allow,RELAYCLIENT="",DKIMKEY="",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.9", `allow,RELAYCLIENT="",DKIMVERIFY="SU",RELAYCLIENT_NODKIMVERIFY="",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.10", `allow,RELAYCLIENT="",DKIMKEY="control/none",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.11", `allow,RELAYCLIENT="",DKIMSIGNOPTIONS="-Z",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.12", `allow,RELAYCLIENT="",QMAILQUEUE="bin/none"`},
	{"127.0.0.13", `allow,QMAILQUEUE="bin/qmail-queue"`},
	{"127.0.0.14", `allow,RELAYCLIENT="",DKIMRCPT="@example.net",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.15", `deny`},
	{"127.0.0.16", `allow,RELAYCLIENT="",DKIMDOMAIN="example.com",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.17", `allow,DKIMVERIFY="SU",ERROR_FD="2",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.18", `allow,RELAYCLIENT="",DKIMKEY="control/me",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.19", `allow,DATABYTES="60",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.20", `allow,RELAYCLIENT=".out",DKIMRCPT="@example.org.out",DKIMRCPTMATCH="all",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.21", `allow,DKIMVERIFY="SU",DKIMQUEUE="bin/none",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.23", `allow,RELAYCLIENT="",SANDBOX="",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.24", `allow,DKIMVERIFY="SU",SANDBOX="",QMAILQUEUE="bin/qmail-dkim"`},
	{"127.0.0.22", `allow,DKIMVERIFY="GF",DKIMALIGN="",SIGNATUREDOMAINS="example.com",QMAILQUEUE="bin/qmail-dkim"`},
}

// A fate is what became of a message.
type fate struct {
	denied bool
	rcpt   string // the reply to the recipient, when that refuses it
	reply  string // to the message; "250 ok" without number
	signed string // d=, s= and a= of each signature that was made, from the top
	letter string
	reason string
	from   string

	silent bool // the log has nothing of it
}

// logged returns a fate without what the log cannot have of another one.
func (f fate) logged(of fate) fate {
	switch {
	case of.silent:
		f.letter, f.reason, f.from, f.silent = "", "", "", true
	case of.reason == "bad-envelope": // it did not get the message
		f.reason = of.reason
	case of.reason == "no-queue-program": // which is told in the place of the letter
		f.letter, f.reason = "", of.reason
	}
	return f
}

// What mailpath says of a message is what becomes of it in the real processes,
// for each rule and each kind of message.
func TestSaysWhatHappens(t *testing.T) {
	t.Parallel()
	root, err := testprog.Root()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root, "testdata/messages", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	rules := ""
	for _, c := range clients {
		rules += c.ip + ":" + c.rule + "\n"
	}
	s, err := site.New(site.Config{Dir: t.TempDir(), Bin: testprog.Dir(t), Domain: "example.com", Rules: rules, Zone: read("rfc8463.zone")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Serve("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct{ name, recipient, text string }{
		{"own domain", "ann@example.com", "From: Joe <joe@Example.COM>\nSubject: x\n\nHello.\n"},
		{"to elsewhere", "ann@example.net", "From: joe@example.com\n\nHello.\n"},
		{"to a third", "ann@example.org", "From: joe@example.com\n\nHello.\n"},
		{"no key", "ann@example.com", "From: joe@other.example\n\nHello.\n"},
		{"two authors", "ann@example.com", "From: a@example.com, b@other.example\n\n.dot\n"},
		{"no From", "ann@example.com", "Subject: x\n\nHello\n"},
		{"mailbox", "ann@example.com", "From joe Mon Jan  1\nFrom: a@example.com\n\nHello\n"},
		{"bare CR", "ann@example.com", "From: a@example.com\n\na\rb\n"},
		{"good", "ann@example.com", read("rfc8463.eml")},
		{"tampered", "ann@example.com", read("rfc8463-tampered.eml")},
	} {
		for _, c := range clients {
			want := happens(t, s, c.ip, m.recipient, m.text)
			if got := says(t, s, c.ip, m.recipient, m.text).logged(want); got != want {
				t.Errorf("%s, %s:%s\nmailpath says %+v\nit was        %+v", m.name, c.ip, c.rule, got, want)
			}
		}
	}
	t.Run("environment", func(t *testing.T) { sameEnvironment(t, s) })
}

var signature = regexp.MustCompile(`(?m)^DKIM-Signature:.*\n(?:[ \t].*\n)*`)

// happens sends a message through the processes.
func happens(t *testing.T, s *site.Site, ip, recipient, text string) (f fate) {
	t.Helper()
	logged := len(s.Log())
	before, err := s.Queued()
	if err != nil {
		t.Fatal(err)
	}
	reply, err := send(s, ip, recipient, text)
	var refusal *smtp.Refusal
	switch {
	case errors.As(err, &refusal):
		f.rcpt = strings.TrimSpace(refusal.Reply.Text)
	case err != nil:
		f.denied = true
	case strings.HasPrefix(reply, "250 ok "):
		f.reply = "250 ok"
	default:
		f.reply = reply
	}
	after, err := s.Queued()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range after {
		if slices.ContainsFunc(before, func(b site.Message) bool { return b.Number == m.Number }) {
			continue
		}
		for _, field := range signature.FindAllString(strings.TrimSuffix(string(m.Text), text), -1) {
			f.signed += tags(field)
		}
	}
	f.silent = true
	for _, line := range s.Log()[logged:] {
		if strings.HasPrefix(line, "qmail-dkim: ") {
			f.silent = false
			f.letter, f.from = word(line, "result"), word(line, "from")
			if f.letter == "" {
				f.reason = word(line, "reason")
			}
		}
	}
	return f
}

// send is Site.Send with the bytes of the message as they are, and the null
// sender.
func send(s *site.Site, ip, recipient, text string) (reply string, err error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: site.Timeout}
	conn, err := d.Dial("tcp", s.Addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	in := smtp.NewReader(conn)
	ask := func(command string) (smtp.Reply, error) {
		if _, err := io.WriteString(conn, command); err != nil {
			return smtp.Reply{}, err
		}
		return in.Read()
	}
	var last smtp.Reply
	text = strings.ReplaceAll(strings.ReplaceAll("\n"+text, "\n.", "\n.."), "\n", "\r\n")[2:]
	for _, command := range []string{"", "HELO x\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<" + recipient + ">\r\n", "DATA\r\n", text + ".\r\n"} {
		if last, err = ask(command); err != nil {
			return "", err
		}
		if strings.HasPrefix(command, "RCPT") && !last.Positive() {
			return "", &smtp.Refusal{Stage: smtp.Recipients, Reply: last}
		}
	}
	return strings.TrimSpace(last.Text), nil
}

func word(line, name string) string {
	_, rest, _ := strings.Cut(line, " "+name+"=")
	value, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return value
}

// tags returns d=, s= and a= of a signature field.
func tags(field string) string {
	_, value, _ := strings.Cut(field, ":")
	found := map[string]string{}
	for tag := range strings.SplitSeq(value, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(tag), "=")
		found[name] = value
	}
	return "d=" + found["d"] + " s=" + found["s"] + " a=" + found["a"] + " "
}

// explain runs mailpath at a site.
func explain(t *testing.T, s *site.Site, args ...string) (e mailpath.Explanation) {
	t.Helper()
	args = append([]string{"-j", "-u", strconv.Itoa(os.Geteuid()), "-l", "mail.example.com", "-x", "etc/tcp.smtp.cdb"}, args...)
	cmd := exec.Command(filepath.Join(s.Bin, "mailpath"), args...)
	cmd.Dir, cmd.Env = s.Dir, s.Environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() > 2 || stderr.Len() > 0 {
		t.Fatalf("mailpath %q: %v, %s", args, err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("mailpath %q: %v\n%s", args, err, out)
	}
	if e.Exit != cmd.ProcessState.ExitCode() {
		t.Errorf("mailpath %q: exit %d, and in the object %d", args, cmd.ProcessState.ExitCode(), e.Exit)
	}
	return e
}

// says asks mailpath for the fate of a message.
func says(t *testing.T, s *site.Site, ip, recipient, text string) (f fate) {
	t.Helper()
	file := filepath.Join(s.Dir, "message")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	e := explain(t, s, ip, file, recipient)
	f.denied = e.Result == "denied"
	f.reply, f.from = e.Reply, e.From
	for _, r := range e.Recipients {
		if !r.Accepted {
			f.rcpt = r.Reply
		}
	}
	if e.Signing != nil {
		f.reason = e.Signing.Reason
		for _, one := range e.Signing.Signatures {
			f.signed = "d=" + one.Domain + " s=" + one.Selector + " a=" + one.Algorithm + " " + f.signed
		}
	}
	if e.Verifying != nil {
		f.letter = e.Verifying.Letter
	}
	return f
}

// sameEnvironment compares with what tcpserver gives a program.
func sameEnvironment(t *testing.T, s *site.Site) {
	cmd := exec.Command(filepath.Join(s.Bin, "tcpserver"), "-1", "-R", "-H", "-l", "mail.example.com", "-x", "etc/tcp.smtp.cdb", "127.0.0.1", "0", "env")
	cmd.Dir, cmd.Env = s.Dir, s.Environ()
	server, err := testprog.StartServer(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	for _, c := range clients {
		if c.rule == "deny" {
			continue
		}
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.ip)}, Timeout: site.Timeout}
		conn, err := d.Dial("tcp", "127.0.0.1:"+server.Port)
		if err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(conn)
		conn.Close()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range strings.Lines(string(out)) {
			line = strings.TrimSuffix(line, "\n")
			name, _, _ := strings.Cut(line, "=")
			if name == "QMAILHOME" || name == "DNSCACHEIP" || !slices.Contains(cmd.Env, line) && name != "TCPLOCALIP" && name != "TCPLOCALPORT" && name != "TCPREMOTEPORT" && name != "_" {
				want = append(want, line)
			}
		}
		var got []string
		for _, setting := range explain(t, s, c.ip).Connection.Environment {
			if !strings.HasPrefix(setting, "TMPDIR=") {
				got = append(got, setting)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: environment\n%q, the program has\n%q", c.ip, got, want)
		}
	}
}
