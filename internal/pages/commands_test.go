package pages

import (
	"io"
	"net"
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// The commands of the shorter pages print what these show.
func TestCommands(t *testing.T) {
	t.Parallel()
	h := newHost(t, testprog.Dir(t))
	h.configure(":allow\n")
	h.files(map[string]string{"message": message(t, "notice.eml")})
	h.run("DKIMQUEUE=/bin/cat RELAYCLIENT= DKIMLOG=off qmail-dkim <message >signed")
	for _, tt := range []struct {
		page, example string
		before, after func()
	}{
		{"dkimreport", "report", nil, nil},
		{"diagnosis", "list", nil, nil},
		{"maildir", "deliver", nil, nil},
		{"softlimit", "hard", nil, nil},
		{"outbound", "smarthost", func() { h.serve("", "tcpserver -RHl0 0 2525 /var/qmail/bin/qmail-smtpd") }, func() { h.stop(nil) }},
		// The last, since it publishes another key.
		{"preflight", "differs", func() {
			h.run("domainkey example.com next")
			zone, err := dnsserver.ParseZone(strings.Replace(h.run("domainkey -p example.com next"), "next.", "default.", 1))
			must(t, err)
			h.dns.Publish(zone)
		}, nil},
	} {
		if tt.before != nil {
			tt.before()
		}
		page := testprog.ReadPage(t, "docs/"+tt.page+".md")
		page.ExpectLike(t, tt.example, h.transcript(page.Example(t, tt.example)))
		if tt.after != nil {
			tt.after()
		}
	}
}

// The limit of docs/limits.md is logged as it shows.
func TestLimitsPage(t *testing.T) {
	t.Parallel()
	page := testprog.ReadPage(t, "docs/limits.md")
	h := newHost(t, testprog.Dir(t))
	h.configure(page.Example(t, "rules"))
	h.serve("refused", "tcpserver -v -RH -l mx -x /etc/tcp.smtp.cdb 0 25 cat")
	defer h.server.Kill()
	for i := range 6 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+h.port)
		must(t, err)
		defer conn.Close()
		if i < 5 {
			must(t, h.server.WaitLog("^tcpserver: ok ", i+1))
		} else if said, err := io.ReadAll(conn); string(said) != "421 too many connections\r\n" {
			t.Errorf("the sixth hears %q, %v", said, err)
		}
	}
	must(t, h.server.WaitLog("^tcpserver: end .*\ntcpserver: status: 5/40", 1))
	page.ExpectLike(t, "refused", strings.ReplaceAll(h.server.Log(), ":"+h.port+" ", ":25 "))
}
