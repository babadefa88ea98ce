package smtpsink

import (
	"io"
	"net"
	"testing"
)

// talk sends text to a sink at once and returns what it answers and logs.
func talk(t *testing.T, script, text string) (answers, log string) {
	t.Helper()
	parsed, err := ParseScript(script)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start("127.0.0.1:0", parsed)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := net.Dial("tcp", s.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, text)
	conn.(*net.TCPConn).CloseWrite()
	got, _ := io.ReadAll(conn)
	log, err = s.Log(1)
	if err != nil {
		t.Error(err)
	}
	return string(got), log
}

// Nothing but CR LF ends a line, and nothing but CR LF . CR LF a message.
func TestStrict(t *testing.T) {
	t.Parallel()
	answers, log := talk(t, "", "HELO a\nb\r\nDATA\r\n..x\r\ny\n.\r\nz\r.\r\n.\r\nNOOP\r\ncut")
	if want := "220 sink.example ESMTP\r\n250 sink.example\r\n354 go ahead\r\n250 ok\r\n502 unknown\r\n"; answers != want {
		t.Errorf("answers %q, want %q", answers, want)
	}
	want := "connect\nbare \"HELO a\\nb\"\nHELO a\nb\nDATA\n| .x\nbare \"y\\n.\"\n| y\n.\nbare \"z\\r.\"\n| z\r.\n.\nNOOP\ncut \"cut\"\nend\n"
	if log != want {
		t.Errorf("log\n%q\nwant\n%q", log, want)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	answers, log := talk(t, "connect 220-a\\n220 b\nRCPT 550 no\nRCPT 250 yes\n\nDATA \"354\\r\\n\"\n. \"250-x\\r\\n\" close",
		"RCPT 1\r\nRCPT 2\r\nrcpt 3\r\nDATA\r\n.\r\nNOOP\r\n")
	if want := "220-a\r\n220 b\r\n550 no\r\n250 yes\r\n250 yes\r\n354\r\n250-x\r\n"; answers != want {
		t.Errorf("answers %q, want %q", answers, want)
	}
	if want := "connect\nRCPT 1\nRCPT 2\nrcpt 3\nDATA\n.\nend\n"; log != want {
		t.Errorf("log %q, want %q", log, want)
	}
	for _, text := range []string{"MAIL", "MAIL ", "MAIL \"x"} {
		if _, err := ParseScript(text); err == nil {
			t.Errorf("ParseScript(%q) finds nothing wrong", text)
		}
	}
}
