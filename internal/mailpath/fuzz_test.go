package mailpath_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/mailpath"
	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// FuzzRun: whatever rules, message and recipient say, the explanation is lines
// of printable ASCII, and an object with -j.
func FuzzRun(f *testing.F) {
	f.Add(":allow,QMAILQUEUE=\"bin/qmail-dkim\"\n", []byte("From: a@example.com\n\nx\n"), "b@example.com")
	f.Add("1.2.3.4:allow,RELAYCLIENT=\"\x01\xff\",DKIMKEY=\"k\x1b%\",QMAILQUEUE=\"bin/qmail-dkim\"\n1.2.3:deny\n", []byte("From: \"\x1b[2J\" <a@b.example>\n.\n\n..\r"), "\x1b\xff@x")
	f.Add("=\x07:deny\n1.2.:allow,DKIMVERIFY=\"S\",DKIMDRYRUN=\"\",QMAILQUEUE=\"bin/qmail-dkim\"", []byte("DKIM-Signature: v=1; a=rsa-sha256; d=\x1bx; s=\xff; h=from; bh=AAAA; b=AAAA\nFrom: a@b, c@d\n\r\r\n"), "")
	home := f.TempDir()
	zone, err := dnsserver.ParseZone("* NXDOMAIN\n")
	if err != nil {
		f.Fatal(err)
	}
	server, err := dnsserver.Start(zone)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { server.Close() })
	for name, text := range map[string]string{"control/me": "mail.example.com\n", "control/rcpthosts": "example.com\n", "bin/qmail-dkim": "", "bin/qmail-queue": ""} {
		name = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			f.Fatal(err)
		}
	}
	text, database := filepath.Join(home, "tcp.smtp"), filepath.Join(home, "tcp.smtp.cdb")
	f.Fuzz(func(t *testing.T, rulesText string, message []byte, recipient string) {
		file, err := os.Create(database)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if rules.CompileText(bytes.NewReader([]byte(rulesText)), file) != nil {
			t.Skip("no rules")
		}
		if err := os.WriteFile(text, []byte(rulesText), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, option := range []string{"-u", "-ju"} {
			var out, errs bytes.Buffer
			env := &prog.Env{Name: "mailpath", Argv0: "mailpath", Stdin: bytes.NewReader(message), Stdout: &out, Stderr: &errs,
				Args:    []string{option, strconv.Itoa(os.Geteuid()), "-x", database, "1.2.3.4", "-", recipient},
				Environ: []string{"QMAILHOME=" + home, "DNSCACHEIP=" + server.Addr(), "TMPDIR=" + home}}
			code := prog.Report(env, mailpath.Run(t.Context(), env))
			if code > 2 && errs.Len() == 0 {
				t.Fatalf("exit %d and not a word", code)
			}
			for i, c := range out.Bytes() {
				if c != '\n' && (c < ' ' || c > '~') {
					t.Fatalf("byte %q at %d of\n%s", c, i, out.Bytes())
				}
			}
			if option == "-ju" && code <= 2 && !json.Valid(out.Bytes()) {
				t.Fatalf("no object: %s", out.Bytes())
			}
		}
	})
}
