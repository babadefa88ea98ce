package qmailsmtpd

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// What the queue program gets: the message with its Received field, and the
// envelope.
func TestHandOver(t *testing.T) {
	t.Parallel()
	date := regexp.MustCompile(`; [1-9][0-9]? [A-Z][a-z]{2} 20[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} -0000\n`)
	tests := []struct {
		name, env, in     string
		message, envelope string
	}{
		{"plain", "", send + "a\r\n\r\n..b\r\n.\r\n",
			"Received: from unknown (unknown)\n  by unknown with SMTP; DATE\na\n\n.b\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"IPv6", "PROTO=TCP6 TCPREMOTEHOST=h.example TCPREMOTEIP=2001:db8::1 TCPREMOTEINFO=joe TCPLOCALIP=2001:db8::9", send + ".\r\n",
			"Received: from h.example (joe@2001:db8::1)\n  by 2001:db8::9 with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"empty message", "", send + ".\r\n", "Received: from unknown (unknown)\n  by unknown with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"tcpserver's facts", "TCPREMOTEIP=192.0.2.1 TCPREMOTEHOST=h.example TCPREMOTEINFO=joe TCPLOCALHOST=mx TCPLOCALIP=192.0.2.9", send + ".\r\n",
			"Received: from h.example (joe@192.0.2.1)\n  by mx with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"empty info, no local name", "TCPREMOTEINFO= TCPLOCALIP=192.0.2.9", "HELO UNKNOWN\r\n" + send + ".\r\n",
			"Received: from unknown (@unknown)\n  by 192.0.2.9 with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"hostile helo", "TCPREMOTEHOST=h.Example", "EHLO (x\r\ty)\x80;[1.2]\r\n" + send + ".\r\n",
			"Received: from h.Example (HELO ?x??y???[1.2]) (unknown)\n  by unknown with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"empty helo", "TCPREMOTEHOST=h", "HELO\r\n" + send + ".\r\n",
			"Received: from h (HELO ) (unknown)\n  by unknown with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"helo is the name", "TCPREMOTEHOST=h.Example", "HELO H.eXAMPLE\r\n" + send + ".\r\n",
			"Received: from h.Example (unknown)\n  by unknown with SMTP; DATE\n", "Fa@b\x00Tc@example.com\x00\x00"},
		{"relay suffix", "RELAYCLIENT=@fix", "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c>\r\nDATA\r\n.\r\n",
			"Received: from unknown (unknown)\n  by unknown with SMTP; DATE\n", "F\x00Ta@b@fix\x00Tc@fix\x00\x00"},
		{"addresses beyond ASCII", "", "MAIL FROM:<ユーザー@例え.jp> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<用户@EXAMPLE.com>\r\nRCPT TO:<\"中 文\"@sub.example.net>\r\nRCPT TO:<x@例え.jp>\r\nDATA\r\n.\r\n",
			"Received: from unknown (unknown)\n  by unknown with SMTP; DATE\n", "Fユーザー@例え.jp\x00T用户@EXAMPLE.com\x00T中 文@sub.example.net\x00\x00"},
		{"refused recipients", "", "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@c>\r\nDATA\r\n.\r\n",
			"Received: from unknown (unknown)\n  by unknown with SMTP; DATE\n", "F\x00Ta@example.com\x00\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			out, _ := s.connect(strings.Fields(tt.env)...).talk(tt.in)
			if !accepted.MatchString(out) {
				t.Fatalf("not accepted: %q", out)
			}
			if got := date.ReplaceAllString(s.read("message"), "; DATE\n"); got != tt.message {
				t.Errorf("message:\n%q\nwant\n%q", got, tt.message)
			}
			if got := s.read("envelope"); got != tt.envelope {
				t.Errorf("envelope: %q, want %q", got, tt.envelope)
			}
		})
	}
}

// An unfinished or refused message comes without an envelope, so that the
// queue program cannot commit it.
func TestNoEnvelope(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"client gone": send + "a\r\n",
		"bare LF":     send + "a\nb\r\n.\r\n",
		"too big":     send + strings.Repeat("x", 2000) + "\r\n.\r\n",
		"looping":     send + strings.Repeat("Received: x\r\n", 100) + ".\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.program("cat >message; cat <&1 >envelope; echo done >fifo")
			if err := syscall.Mkfifo(s.home+"/fifo", 0o600); err != nil {
				t.Fatal(err)
			}
			c := s.connect("DATABYTES=1900")
			done := make(chan string)
			go func() { done <- s.read("fifo") }()
			out, _ := c.talk(in)
			<-done
			if accepted.MatchString(out) || s.read("envelope") != "" {
				t.Errorf("envelope %q after %q, want none", s.read("envelope"), out)
			}
		})
	}
}

// Every exit code of the queue program has its reply.
func TestQueueCodes(t *testing.T) {
	t.Parallel()
	special := map[int]string{
		11: "554 envelope address too long for qq (#5.1.3)", 115: "554 envelope address too long for qq (#5.1.3)",
		31: "554 mail server permanently rejected message (#5.3.0)", 32: "554 Private key file does not exist (#5.3.5)",
		51: "451 qq out of memory (#4.3.0)", 52: "451 qq timeout (#4.3.0)", 53: "451 qq write error or disk full (#4.3.0)",
		54: "451 qq read error (#4.3.0)", 55: "451 qq unable to read configuration (#4.3.0)", 56: "451 qq trouble making network connection (#4.3.0)",
		61: "451 qq trouble in home directory (#4.3.0)", 62: "451 qq trouble creating files in queue (#4.3.0)",
		63: "451 qq trouble creating files in queue (#4.3.0)", 64: "451 qq trouble creating files in queue (#4.3.0)",
		65: "451 qq trouble creating files in queue (#4.3.0)", 66: "451 qq trouble creating files in queue (#4.3.0)",
		71: "451 mail server temporarily rejected message (#4.3.0)", 72: "451 connection to mail server timed out (#4.4.1)",
		73: "451 connection to mail server rejected (#4.4.1)", 74: "451 communication with mail server failed (#4.4.2)",
		81: "451 qq internal bug (#4.3.0)", 91: "451 qq internal bug (#4.3.0)", 120: "451 unable to exec qq (#4.3.0)",
	}
	s := newSite(t, nil)
	c := s.connect()
	var in, want strings.Builder
	for code := 1; code <= 130; code++ {
		// The message says which code to exit with.
		fmt.Fprintf(&in, "%s\r\n%d\r\n.\r\n", strings.TrimSuffix(send, "\r\n"), code)
		reply := special[code]
		switch {
		case reply != "":
		case code > 11 && code <= 40:
			reply = "554 qq permanent problem (#5.3.0)"
		default:
			reply = "451 qq temporary problem (#4.3.0)"
		}
		want.WriteString(sent + reply + "\r\n")
	}
	s.program("while read -r line; do code=$line; done; cat <&1 >/dev/null; exit $code")
	out, _ := c.talk(in.String())
	got, wanted := strings.SplitAfter(out, "\r\n"), strings.SplitAfter(greeting+want.String(), "\r\n")
	for i := range wanted {
		if i >= len(got) || got[i] != wanted[i] {
			t.Fatalf("reply %d, code %d: got %q, want %q", i, i/4+1, strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), wanted[i])
		}
	}
}

// The queue program's own words, and other ends of it.
func TestQueueWords(t *testing.T) {
	t.Parallel()
	const take = "cat >/dev/null; cat <&1 >/dev/null; "
	tests := []struct{ name, script, want string }{
		{"rejected on 4", take + "printf 'Dno (#5.7.1)' >&4; exit 82", "554 no (#5.7.1)"},
		{"deferred on 6", take + "printf 'Zlater (#4.7.1)' >&6; exit 82", "451 later (#4.7.1)"},
		{"older code", take + "printf 'Dno' >&4; exit 88", "554 no"},
		{"both descriptors", take + "printf 'Dn' >&4; printf o >&6; exit 88", "554 no"},
		{"other code", take + "printf 'Dno' >&4; exit 71", "451 mail server temporarily rejected message (#4.3.0)"},
		{"no words", take + "exit 82", "451 qq temporary problem (#4.3.0)"},
		{"broken line", take + `printf 'Da\r\n250 ok' >&6; exit 82`, "554 a??250 ok"},
		{"long", take + "printf D >&4; printf '%0300d' 0 >&4; exit 82", "554 " + strings.Repeat("0", 254)},
		{"more than a pipe holds", take + "printf 'D%0200000d' 0 >&4; exit 82", "554 " + strings.Repeat("0", 254)},
		{"words before reading", "printf 'Dno' >&4; exit 82", "554 no"},
		{"killed", take + "kill -9 $$", "451 qq crashed (#4.3.0)"},
		{"dead in the middle", "head -c 200000 >/dev/null; exit 31", "554 mail server permanently rejected message (#5.3.0)"},
		{"killed in the middle", "head -c 200000 >/dev/null; kill -9 $$", "451 qq crashed (#4.3.0)"},
		{"success in the middle", "head -c 200000 >/dev/null; exit 0", "451 qq read error (#4.3.0)"},
		{"success without reading", "exit 0", "451 qq read error (#4.3.0)"},
	}
	body := strings.Repeat(strings.Repeat("x", 70)+"\r\n", 30000) + ".\r\n"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.program(tt.script)
			// More than pipes hold, and another command: the data is read to its
			// end whatever becomes of the program.
			out, code := s.connect().talk(send + body + "NOOP\r\n")
			if want := greeting + sent + tt.want + "\r\n" + ok; out != want || code != 1 {
				t.Errorf("got  %q\nwant %q", out, want)
			}
		})
	}
}

// The queue program finds the message on 0, the envelope on 1, the caller's 2,
// one pipe on 4 and 6, nothing on 3 and 5, and the environment as it was.
func TestQueueSurroundings(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.install("bin/look", `(ls -l /proc/$$/fd >fds)
pwd >pwd
echo "$0" >name
env >environ
cat >/dev/null
cat <&1 >/dev/null
`)
	out, _ := s.connect("QMAILQUEUE=bin/look", "DKIMKEY=control/%/x", "RELAYCLIENT=", "EMPTY=").talk(send + ".\r\n")
	if !accepted.MatchString(out) {
		t.Fatalf("not accepted: %q", out)
	}
	fds := map[string]string{}
	for _, m := range regexp.MustCompile(` ([0-6]) -> (\S+)\n`).FindAllStringSubmatch(s.read("fds"), -1) {
		fds[m[1]] = m[2]
	}
	pipe := func(fd string) bool { return strings.HasPrefix(fds[fd], "pipe:") }
	if !pipe("0") || !pipe("1") || !pipe("4") || fds["6"] != fds["4"] || fds["0"] == fds["1"] || fds["3"]+fds["5"] != "" {
		t.Errorf("descriptors: %q", fds)
	}
	if got := strings.TrimSpace(s.read("pwd")); got != s.home {
		t.Errorf("directory %q, want %q", got, s.home)
	}
	if got := s.read("name"); got != "bin/look.sh\n" {
		t.Errorf("argv[0] = %q, want the path as given", got)
	}
	for _, want := range []string{"QMAILQUEUE=bin/look\n", "DKIMKEY=control/%/x\n", "RELAYCLIENT=\n", "EMPTY=\n", "QMAILHOME=" + s.home + "\n"} {
		if !strings.Contains(s.read("environ"), want) {
			t.Errorf("environment lacks %q", want)
		}
	}
	if got := s.read("environ"); strings.Contains(got, "ERROR_FD") {
		t.Errorf("environment has additions: %q", got)
	}
}

// Without processes or descriptors, DATA itself fails and the session goes on.
func TestOpenQueueFails(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	c := newSite(t, nil).connect()
	buf := make([]byte, 100)
	n, _ := c.Read(buf) // the greeting: controls have been read
	low := old
	low.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	out, _ := c.talk(send + "NOOP\r\n")
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if got, want := string(buf[:n])+out, greeting+ok+ok+"451 qqt failure (#4.3.0)\r\n"+ok; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
