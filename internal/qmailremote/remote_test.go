package qmailremote

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/smtpsink"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// A site is a qmail home for one test, with a name server.
type site struct {
	t        *testing.T
	home     string
	resolver *dns.Resolver
}

func newSite(t *testing.T, zone string) *site {
	t.Helper()
	s := &site{t: t, home: t.TempDir()}
	names := testprog.NameServer(t, zone, dnsserver.Start)
	s.resolver = dns.New(func(name string) (string, bool) { return names.Addr(), name == "DNSCACHEIP" })
	s.resolver.Rounds = []time.Duration{10 * time.Second} // a failure is believed at once
	s.write("control/me", "me.example\n")
	return s
}

func (s *site) write(name, data string) {
	s.t.Helper()
	name = filepath.Join(s.home, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// sinks starts a sink at each address, all with one port, and makes them the
// relay of every host.
func (s *site) sinks(script string, addrs ...string) (sinks []*smtpsink.Sink) {
	s.t.Helper()
	parsed, err := smtpsink.ParseScript(script)
	if err != nil {
		s.t.Fatal(err)
	}
	const tries = 20 // a port that is free at one address may not be at another
	for range tries {
		port := "0"
		for _, addr := range addrs {
			sink, err := smtpsink.Start(net.JoinHostPort(addr, port), parsed)
			if err != nil {
				break
			}
			s.t.Cleanup(sink.Close)
			sinks = append(sinks, sink)
			port = strconv.Itoa(int(sink.Addr.Port()))
		}
		if len(sinks) == len(addrs) {
			s.write("control/smtproutes", ":["+addrs[0]+"]:"+port)
			return sinks
		}
		sinks = nil
	}
	s.t.Fatal("no port")
	return nil
}

// env is the outside world with a message that is a pipe.
func (s *site) env(message io.Reader, args ...string) *prog.Env {
	return &prog.Env{Name: "qmail-remote", Args: args, Stdin: message, Environ: []string{"QMAILHOME=" + s.home}, Fd: func(int) *os.File { return nil }}
}

func (s *site) run(env *prog.Env) string {
	return strings.ReplaceAll(s.remote().reports(socket.Direct(s.t.Context()), env), "\x00", "\\0")
}

// remote is a run on a host that has but the loopback interface.
func (s *site) remote() *remote {
	own := func() ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, nil
	}
	return &remote{dns: s.resolver, own: own}
}

// log returns what a sink has logged after one session, without connect and
// end.
func (s *site) log(sink *smtpsink.Sink) string {
	s.t.Helper()
	log, err := sink.Log(1)
	if err != nil {
		s.t.Error(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(log, "connect\n"), "end\n")
}

const (
	letter = "Subject: x\n\ntext\n"
	host   = "example.com"
	sender = "a@example.org"
	rcpt   = "b@example.com"
)

// Every row of the reports, with exact words.
func TestReports(t *testing.T) {
	t.Parallel()
	const said = "Remote host said: "
	long := strings.Repeat("x", 3000)
	tests := []struct {
		name, script string
		args         []string // without the host
		message      string
		want         string
	}{
		{"accepted", "", nil, letter, "r\\0K127.0.0.1 accepted message.\n" + said + "250 ok\n\\0"},
		{"empty message", "", nil, "", "r\\0K127.0.0.1 accepted message.\n" + said + "250 ok\n\\0"},
		{"words of the server", `. "250-a\rb\r\n250 c\x00d\r\n"`, nil, letter, "r\\0K127.0.0.1 accepted message.\n" + said + "250-ab\n250 c?d\n\\0"},
		{"many words of the server", `. 250-` + long + `\n250 ` + long, nil, letter,
			"r\\0K127.0.0.1 accepted message.\n" + said + ("250-" + long + "\n250 " + long)[:5000] + "\\0"},
		{"recipient refused", "RCPT 550 no", nil, letter, "h127.0.0.1 does not like recipient.\n" + said + "550 no\n\\0DGiving up on 127.0.0.1.\n\\0"},
		{"recipient deferred", "RCPT 450 later", nil, letter, "s127.0.0.1 does not like recipient.\n" + said + "450 later\n\\0DGiving up on 127.0.0.1.\n\\0"},
		{"recipients of all kinds", "RCPT 450 later\nRCPT 250 ok\nRCPT 550-no\\n550 never", []string{sender, "1@x", "2@x", "3@x"}, letter,
			"s127.0.0.1 does not like recipient.\n" + said + "450 later\n\\0r\\0h127.0.0.1 does not like recipient.\n" + said + "550-no\n550 never\n\\0" +
				"K127.0.0.1 accepted message.\n" + said + "250 ok\n\\0"},
		{"greeting refused", "connect 554 no", nil, letter, "ZConnected to 127.0.0.1 but greeting failed.\n" + said + "554 no\n\\0"},
		{"greeting in other words", "connect SSH-2.0", nil, letter, "ZConnected to 127.0.0.1 but greeting failed.\n" + said + "SSH-2.0\n\\0"},
		{"name refused", "HELO 550 who?", nil, letter, "ZConnected to 127.0.0.1 but my name was rejected.\n" + said + "550 who?\n\\0"},
		{"sender refused", "MAIL 550 no", nil, letter, "DConnected to 127.0.0.1 but sender was rejected.\n" + said + "550 no\n\\0"},
		{"sender deferred", "MAIL 451 later", nil, letter, "ZConnected to 127.0.0.1 but sender was rejected.\n" + said + "451 later\n\\0"},
		{"DATA refused", "DATA 554 no", nil, letter, "r\\0D127.0.0.1 failed on DATA command.\n" + said + "554 no\n\\0"},
		{"DATA deferred", "DATA 451 later", nil, letter, "r\\0Z127.0.0.1 failed on DATA command.\n" + said + "451 later\n\\0"},
		{"DATA not understood", "DATA 250 ok", nil, letter, "r\\0Z127.0.0.1 failed on DATA command.\n" + said + "250 ok\n\\0"},
		{"message refused", ". 554 spam", nil, letter, "r\\0D127.0.0.1 failed after I sent the message.\n" + said + "554 spam\n\\0"},
		{"message deferred", ". 452 full", nil, letter, "r\\0Z127.0.0.1 failed after I sent the message.\n" + said + "452 full\n\\0"},
		{"closed before the greeting", "connect close", nil, letter, "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"},
		{"closed at HELO", "HELO close", nil, letter, "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"},
		{"closed at MAIL", "MAIL close", nil, letter, "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"},
		{"closed at RCPT", "RCPT 250 ok\nRCPT close", []string{sender, "1@x", "2@x"}, letter, "r\\0ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"},
		{"closed at DATA", "DATA close", nil, letter, "r\\0ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"},
		{"closed after the message", ". close", nil, letter, "r\\0ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n\\0"},
		{"closed at QUIT", "QUIT close", nil, letter, "r\\0K127.0.0.1 accepted message.\n" + said + "250 ok\n\\0"},
		{"QUIT not answered", "QUIT hang", nil, letter, "r\\0K127.0.0.1 accepted message.\n" + said + "250 ok\n\\0"},
		{"partial last line", "", nil, "text\nmore", "r\\0DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n\\0"},
		{"line end in the sender", "", []string{"a\r\nDATA@example.org", rcpt}, letter, string(errSender) + "\\0"},
		{"line end in a recipient", "RCPT 250 ok\nRCPT 550 no", []string{sender, "1@x", "2\nDATA@x", "3@x"}, letter,
			"r\\0" + badRecipient + "\\0h127.0.0.1 does not like recipient.\n" + said + "550 no\n\\0K127.0.0.1 accepted message.\n" + said + "250 ok\n\\0"},
		{"line end in all recipients", "", []string{sender, "1\r@x", "2\n@x"}, letter, badRecipient + "\\0" + badRecipient + "\\0DGiving up on 127.0.0.1.\n\\0"},
		{"line end in a recipient behind the last reply", "RCPT close", []string{sender, "1@x", "2\n@x"}, letter, "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			s.sinks(tt.script, "127.0.0.1")
			args := []string{host, sender, rcpt}
			if tt.args != nil {
				args = append([]string{host}, tt.args...)
			}
			if got := s.run(s.env(strings.NewReader(tt.message), args...)); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What is wrong before a connection is made.
func TestNoServer(t *testing.T) {
	t.Parallel()
	const zone = `
cold.example SERVFAIL
cold-mx.example SERVFAIL MX
bare.example TXT nothing else
lame.example MX 10 nowhere.example
null.example MX 0 .
me.example A 127.0.0.1
mine.example MX 10 me.example
`
	whole := []string{host, sender, rcpt}
	tests := []struct {
		name    string
		prepare func(s *site)
		args    []string
		want    failure
	}{
		{"no arguments", nil, nil, errUsage},
		{"no recipient", nil, []string{host, sender}, errUsage},
		{"no home", func(s *site) { os.RemoveAll(s.home) }, whole, errHome},
		{"no name", func(s *site) { os.Remove(s.home + "/control/me") }, whole, errControls},
		{"name with a CR inside", func(s *site) { s.write("control/helohost", "a\rQUIT") }, whole, errControls},
		{"unreadable smtproutes", func(s *site) { os.Mkdir(s.home+"/control/smtproutes", 0o755) }, whole, errControls},
		{"unreadable timeoutremote", func(s *site) { os.Mkdir(s.home+"/control/timeoutremote", 0o755) }, whole, errControls},
		{"route without a good port", func(s *site) { s.write("control/smtproutes", ":relay.example:x") }, whole, errControls},
		{"nobody listens", func(s *site) { s.write("control/smtproutes", ":127.0.0.1:1") }, whole, errNoConnection},
		{"name server fails", nil, []string{"cold.example", sender, rcpt}, errDNS},
		{"name server fails for MX", nil, []string{"cold-mx.example", sender, rcpt}, errDNS},
		{"no such host", nil, []string{"nowhere.example", sender, rcpt}, noSuchHost("nowhere.example")},
		{"no name at all", nil, []string{strings.Repeat("x", 64) + ".example", sender, rcpt}, noSuchHost(strings.Repeat("x", 64) + ".example")},
		{"a host with no address", nil, []string{"bare.example", sender, rcpt}, errNoAddress},
		{"an exchanger that does not exist", nil, []string{"lame.example", sender, rcpt}, errNoAddress},
		{"null MX", nil, []string{"null.example", sender, rcpt}, errNoAddress},
		{"no such relay", func(s *site) { s.write("control/smtproutes", ":nowhere.example") }, whole, noSuchHost("nowhere.example")},
		{"a relay with no address", func(s *site) { s.write("control/smtproutes", ":bare.example") }, whole, noSuchHost("bare.example")},
		{"name server fails for the relay", func(s *site) { s.write("control/smtproutes", ":cold.example") }, whole, errDNS},
		{"my own address", nil, []string{"[127.0.0.1]", sender, rcpt}, errOwn},
		{"my own name", nil, []string{"me.example", sender, rcpt}, errOwn},
		{"I am the exchanger", nil, []string{"mine.example", sender, rcpt}, errOwn},
		{"unspecified address", nil, []string{"[0.0.0.0]", sender, rcpt}, errOwn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, zone)
			if tt.prepare != nil {
				tt.prepare(s)
			}
			if got, want := s.run(s.env(strings.NewReader(letter), tt.args...)), string(tt.want)+"\\0"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// A message that cannot be read ends the session without a word that could be
// taken for its end.
func TestUnreadableMessage(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	sink := s.sinks("", "127.0.0.1")[0]
	message := io.MultiReader(strings.NewReader("text\n.\n"), iotest.ErrReader(io.ErrClosedPipe))
	if got, want := s.run(s.env(message, host, sender, rcpt)), "r\\0"+string(errMessage)+"\\0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if log := s.log(sink); !strings.HasSuffix(log, "DATA\n") {
		t.Errorf("log %q", log)
	}
}

// What the server gets.
func TestSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	sink := s.sinks("", "127.0.0.1")[0]
	s.write("control/helohost", "helo.example\r\nnot this\n")
	long := strings.Repeat("x", 5000)
	s.run(s.env(strings.NewReader("8-bit: \xff\n\n"+long+"\n.dot\n"), host, "a b@example.org", rcpt, "jörg@example.com"))
	want := "HELO helo.example\nMAIL FROM:<\"a b\"@example.org>\nRCPT TO:<b@example.com>\nRCPT TO:<jörg@example.com>\n" +
		"DATA\n| 8-bit: \xff\n| \n| " + long + "\n| .dot\n.\nQUIT\n"
	if log := s.log(sink); log != want {
		t.Errorf("log\n%swant\n%s", log, want)
	}
}

// With control/smtpehlo the server hears more, but only if that says 1.
func TestExtended(t *testing.T) {
	t.Parallel()
	const offer = `EHLO 250-sink\n250-PIPELINING\n250-SIZE 1000000\n250-8BITMIME\n250 STARTTLS` + "\n"
	const tail = "\nRCPT TO:<b@example.com>\nDATA\n| Subject: \xff\n| \n| text\n.\nQUIT\n"
	for _, tt := range []struct{ name, control, script, want string }{
		{"off", "", offer, "HELO me.example\nMAIL FROM:<a@example.org>" + tail},
		{"0", "0", offer, "HELO me.example\nMAIL FROM:<a@example.org>" + tail},
		{"2", "2", offer, "HELO me.example\nMAIL FROM:<a@example.org>" + tail},
		{"on", "1", offer + `EHLO 250-sink\n250-SIZE\n250 8BITMIME` + "\nSTARTTLS 220 go",
			"EHLO me.example\nSTARTTLS\ntls mx.example\nEHLO me.example\nMAIL FROM:<a@example.org> SIZE=20 BODY=8BITMIME" + tail},
		{"TLS refused", "1", offer + "STARTTLS 454 no", "EHLO me.example\nSTARTTLS\nMAIL FROM:<a@example.org> SIZE=20 BODY=8BITMIME" + tail},
		{"nothing offered", "1", "", "EHLO me.example\nMAIL FROM:<a@example.org>" + tail},
		{"not understood", "1", "EHLO 502 what", "EHLO me.example\nHELO me.example\nMAIL FROM:<a@example.org>" + tail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "mx.example A 127.0.0.1")
			sink := s.sinks(tt.script, "127.0.0.1")[0]
			s.write("control/smtproutes", ":mx.example:"+strconv.Itoa(int(sink.Addr.Port())))
			if tt.control != "" {
				s.write("control/smtpehlo", tt.control)
			}
			// The file begins with what is not of the message.
			s.write("message", "skipped Subject: \xff\n\ntext\n")
			file, err := os.Open(s.home + "/message")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			file.Seek(8, io.SeekStart)
			env := s.env(file, host, sender, rcpt)
			env.Fd = func(int) *os.File { return file }
			if got, want := s.run(env), "r\\0K127.0.0.1 accepted message.\nRemote host said: 250 ok\n\\0"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if log := s.log(sink); log != tt.want {
				t.Errorf("log\n%swant\n%s", log, tt.want)
			}
		})
	}
}

// A server whose TLS does not work gets the message in clear, over a second
// connection.
func TestNoTLS(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	sink := s.sinks(`EHLO 250-sink\n250 STARTTLS`+"\nSTARTTLS 220 go\nhandshake close", "127.0.0.1")[0]
	s.write("control/smtpehlo", "1\n")
	if got, want := s.run(s.env(strings.NewReader("text\n"), host, sender, rcpt)), "r\\0K127.0.0.1 accepted message.\nRemote host said: 250 ok\n\\0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	log, err := sink.Log(2)
	want := "connect\nEHLO me.example\nSTARTTLS\nend\nconnect\nEHLO me.example\nMAIL FROM:<a@example.org>\nRCPT TO:<b@example.com>\nDATA\n| text\n.\nQUIT\nend\n"
	if log != want || err != nil {
		t.Errorf("log\n%s%v, want\n%s", log, err, want)
	}
}

// A server that does not answer is given the time of control/timeoutremote.
func TestTimeoutRemote(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.sinks("HELO hang", "127.0.0.1")
	s.write("control/timeoutremote", "0\n") // one second
	if got, want := s.run(s.env(strings.NewReader(letter), host, sender, rcpt)), "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\\0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The relays of control/smtproutesmx are tried in the order of MX, the next
// when a connection fails and not when the server says no.
func TestRoutesByMX(t *testing.T) {
	t.Parallel()
	const zone = `
relay.example MX 10 dead.example
relay.example MX 20 first.example
relay.example MX 30 second.example
dead.example A 127.0.0.4
first.example A 127.0.0.2
second.example A 127.0.0.3
relay.example A 127.0.0.3
`
	for _, tt := range []struct{ name, control, script, want string }{
		{"on", "1\n", "", "r\\0K127.0.0.2 accepted message.\nRemote host said: 250 ok\n\\0"},
		{"on, first refuses", "1\n", "connect 554 no", "ZConnected to 127.0.0.2 but greeting failed.\nRemote host said: 554 no\n\\0"},
		{"off", "0\n", "", "r\\0K127.0.0.3 accepted message.\nRemote host said: 250 ok\n\\0"},
		{"no file", "", "", "r\\0K127.0.0.3 accepted message.\nRemote host said: 250 ok\n\\0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, zone)
			port := int(s.sinks(tt.script, "127.0.0.2", "127.0.0.3")[0].Addr.Port())
			s.write("control/smtproutes", ":relay.example:"+strconv.Itoa(port))
			if tt.control != "" {
				s.write("control/smtproutesmx", tt.control)
			}
			if got := s.run(s.env(strings.NewReader(letter), host, sender, rcpt)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	l.Close()
	s := newSite(t, "")
	s.sinks("RCPT 250 ok\nRCPT 550 no", "::1")
	want := "r\\0h::1 does not like recipient.\nRemote host said: 550 no\n\\0K::1 accepted message.\nRemote host said: 250 ok\n\\0"
	if got := s.run(s.env(strings.NewReader(letter), host, sender, rcpt, "c@example.com")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
