package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// docs/operations.md shows what is logged, docs/trouble.md what to do about it.
func TestOperations(t *testing.T) {
	t.Parallel()
	page := testprog.ReadPage(t, "docs/operations.md")
	h := newHost(t, testprog.Dir(t))
	h.configure(page.Example(t, "rules"))
	h.publish(message(t, "rfc8463.zone"))
	notice := message(t, "notice.eml")
	h.files(map[string]string{"message": notice, "other": strings.Replace(notice, "office@example.com", "office@example.org", 1)})
	h.serve("server", strings.TrimPrefix(strings.SplitN(page.Example(t, "server"), "\n", 2)[0], "$ "))
	for i, mail := range []struct{ from, sender, text string }{
		{"127.0.0.1", "office@example.com", notice},
		{"127.0.0.2", "joe@football.example.com", message(t, "rfc8463-tampered.eml")},
		{"127.0.0.3", "", ""},
	} {
		h.files(map[string]string{"session": session(mail.sender, "hanako@example.com", mail.text)})
		h.run("tcpclient -RHl0 -i " + mail.from + " 127.0.0.1 2525 mconnect-io <session")
		must(t, h.server.WaitLog("^tcpserver: status: 0/", i+2))
	}
	h.stop(&page)
	h.files(map[string]string{"log": page.Example(t, "server")})
	h.follow(&page, "count", "change")
	if got, want := page.Example(t, "step3"), h.run("tail -n 1 /etc/tcp.smtp"); got != want {
		t.Errorf("the page shows %s, the rules end in %s", got, want)
	}
	record := h.run("domainkey -p example.com")
	h.follow(&page, "backup")
	if got := h.run("domainkey -p example.com"); got != record {
		t.Errorf("the copy of the key is another: %s", got)
	}
	trouble := testprog.ReadPage(t, "docs/trouble.md")
	h.serve("", "tcpserver -RHl0 0 2525 cat")
	trouble.ExpectLike(t, "start", h.transcript(trouble.Example(t, "start")))
	h.stop(nil)
	h.follow(&trouble, "unsigned", "deferred", "damaged")
}

// The page explains every word that qmail-dkim may log.
func TestOperationsWords(t *testing.T) {
	t.Parallel()
	text := testprog.ReadPage(t, "docs/operations.md").Text
	files, err := filepath.Glob(filepath.Join(root(t), "qmaildkim/*.go"))
	must(t, err)
	word := regexp.MustCompile(`(?:\btemporary\(|\bReason: |\.warn\(|\.Reason = |\b(?:reason|fault|No|Several|Bad)\w+ += )"([a-z]+(?:-[a-z]+)*)"`)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		must(t, err)
		for _, m := range word.FindAllStringSubmatch(string(source), -1) {
			found++
			if w := m[1]; w != "letter" && !strings.Contains(text, "`"+w+"`") {
				t.Errorf("%s: %s is not on the page", filepath.Base(name), w)
			}
		}
	}
	if found < 25 {
		t.Errorf("found only %d words", found)
	}
}
