package qmaildkim

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/rules"

	"ucspi-go/internal/spool"
)

// From the text of tcp.smtp to a signature that verifies, in one process.
func TestRulesToSignature(t *testing.T) {
	t.Parallel()
	const text = `192.0.2.7:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMKEY="control/domainkeys/%/default"
:allow,DKIMVERIFY="FGHIKLMNOQRTUVWjp",QMAILQUEUE="bin/qmail-dkim"
`
	name := filepath.Join(t.TempDir(), "rules.cdb")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(set.Compile(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := rules.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	environ := rules.Environ{"QMAILHOME=" + keyHome(t), "DKIMAUTHSERVID=mx.example.net"}
	pass := func(ip, msg string) (string, Report) {
		decision, err := db.Lookup(rules.Client{IP: ip})
		if err != nil {
			t.Fatal(err)
		}
		out, report, err := process(t, decision.Apply(environ), msg, "sue@example.org")
		if err != nil {
			t.Fatal(err)
		}
		return out, report
	}
	signed, report := pass("192.0.2.7", plain)
	good(t, signed, 1)
	if want := "qmail-dkim: sign pid=7 from=example.com d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default rcpts=1\n"; report.Line(7) != want {
		t.Errorf("log %q, want %q", report.Line(7), want)
	}
	labelled, report := pass("198.51.100.1", signed)
	if want := "qmail-dkim: verify pid=7 from=example.com result=A d=example.com s=default verdict=accept\n"; report.Line(7) != want {
		t.Errorf("log %q, want %q", report.Line(7), want)
	}
	if !strings.HasPrefix(labelled, "DKIM-Status: good\nAuthentication-Results: mx.example.net;") || !strings.HasSuffix(labelled, signed) {
		t.Errorf("labelled as\n%s", labelled)
	}
	forged, report := pass("198.51.100.1", "DKIM-Status: good\n"+plain)
	if strings.Contains(forged, "good") || report.Verdict.Letter != letterUnsigned {
		t.Errorf("forged status stays:\n%s", forged)
	}
}

// What decides, in order: off, bad options, recipients, From, key.
func TestDecisions(t *testing.T) {
	t.Parallel()
	dir := func(files map[string]string) string {
		files["control/domainkeys/example.com/default"] = keyPEM(t, rsaKey())
		return newHome(t, files)
	}
	common := dir(map[string]string{"control/garbage": "rubbish", "control/fallback/one": keyPEM(t, rsaKey())})
	const key = " d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default"
	const other = "From: joe@other.example\n\nx\n"
	for _, test := range []struct {
		name, home, environ, msg string
		log                      string // behind the pid
		code                     int    // of the refusal
	}{
		{"relay client", common, "RELAYCLIENT=", plain, " from=example.com" + key + " rcpts=2", 0},
		{"authenticated", common, "AUTHINFO=joe", plain, " from=example.com" + key + " rcpts=2", 0},
		{"off by DKIMSIGN", common, "DKIMSIGN=;DKIMSIGNOPTIONS=-Z", plain, " from=example.com reason=off", 0},
		{"off by DKIMKEY", common, "RELAYCLIENT=;DKIMKEY=;DKIMRCPT=@no.example", plain, " from=example.com reason=off", 0},
		{"bad options", common, "RELAYCLIENT=;DKIMSIGNOPTIONS=-Z;DKIMRCPT=@no.example", other, " reason=bad-options cause=-Z", 71},
		{"bad expiry", common, "RELAYCLIENT=;DKIMEXPIRE=0", plain, " reason=bad-options cause=DKIMEXPIRE-0", 71},
		{"bad second options", common, "RELAYCLIENT=;DKIMSIGNOPTIONSEXTRA=-z 9", plain, " reason=bad-options cause=-z-9", 71},
		{"recipients before key", common, "DKIMSIGN=control/garbage;DKIMRCPT=@no.example", plain, " from=example.com reason=rcpt", 0},
		{"recipients before From", common, "RELAYCLIENT=;DKIMRCPT=@no.example", "To: x\n\n", " reason=rcpt", 0},
		{"recipient", common, "RELAYCLIENT=;DKIMRCPT=a@b:@.c.example", plain, " from=example.com" + key + " rcpts=2 match=Two@x.C.example", 0},
		{"all recipients", common, "RELAYCLIENT=;DKIMRCPT=@.c.example;DKIMRCPTMATCH=all", plain, " from=example.com reason=rcpt", 0},
		{"recipients file", dir(map[string]string{"control/dkimrcpts": "# aol\n@example.org\n"}), "RELAYCLIENT=", plain, " from=example.com" + key + " rcpts=2 match=one@example.org", 0},
		{"DKIMRCPT replaces the file", dir(map[string]string{"control/dkimrcpts": "@example.org\n"}), "RELAYCLIENT=;DKIMRCPT=@no.example", plain, " from=example.com reason=rcpt", 0},
		{"recipients file unreadable", dir(map[string]string{"control/dkimrcpts/x": ""}), "RELAYCLIENT=", plain, " from=example.com reason=bad-dkimrcpts cause=is-a-directory", 71},
		{"no From", common, "RELAYCLIENT=", "To: x\n\nx\n", " reason=no-from", 0},
		{"two From", common, "RELAYCLIENT=", "From: joe@example.com\n" + plain, " reason=several-from", 0},
		{"two From, domain given", common, "RELAYCLIENT=;DKIMDOMAIN=example.com", "From: joe@example.com\n" + plain, " reason=several-from", 0},
		{"mbox", common, "RELAYCLIENT=", "From joe Jan 1\n" + plain, " reason=bad-header", 0},
		{"path in domain", common, "RELAYCLIENT=", "From: j@example.com/../example.com\n\n", " reason=bad-domain", 0},
		{"no key", common, "RELAYCLIENT=", other, " from=other.example reason=no-key tried=control/domainkeys/other.example/default,control/domainkeys/default", 0},
		{"no key without %", common, "DKIMSIGN=control/none", plain, " from=example.com reason=no-key key=control/none", 32},
		{"key is garbage", common, "DKIMSIGN=control/garbage", plain, " from=example.com reason=bad-key key=control/garbage cause=no-RSA-or-Ed25519-private-key-in-PEM-form", 71},
		{"key is a folder", common, "DKIMSIGN=control/domainkeys/%", plain, " from=example.com reason=bad-key key=control/domainkeys/example.com cause=is-a-directory", 71},
		{"domain given", common, "RELAYCLIENT=;DKIMDOMAIN=postmaster@Example.com", other, " from=other.example" + key + " rcpts=2", 0},
		{"bad domain given", common, "RELAYCLIENT=;DKIMDOMAIN=../x", plain, " from=example.com reason=bad-dkimdomain", 71},
		{"control dir", common, "DKIMSIGN=fallback/one", plain, " from=example.com d=example.com s=one a=rsa-sha256 key=control/fallback/one rcpts=2", 0},
		{"remarks", common, "RELAYCLIENT=;DKIMSIGNOPTIONS=-b 2 -l -h -z3 -i joe@else.example word", plain + "bare\rcr\n", " from=example.com" + key + " rcpts=2 warn=bare-cr ignored=-b,-l,-h,-z,word,-i", 0},
		{"dkimkeys", dir(map[string]string{"control/dkimkeys": "nobody:x\n*.example:control/domainkeys/example.com/default:DKIMSIGNOPTIONS=-z 4,EXCLUDE_DKIMSIGN=x\n"}), "RELAYCLIENT=", other,
			" from=other.example d=other.example s=default a=rsa-sha256 key=control/domainkeys/example.com/default rcpts=2 ignored=-z", 0},
		{"dkimkeys off", dir(map[string]string{"control/dkimkeys": "*:control/none"}), "RELAYCLIENT=;NODKIMKEYS=", plain, " from=example.com" + key + " rcpts=2", 0},
		{"dkimkeys exempts", dir(map[string]string{"control/dkimkeys": "example.com:"}), "RELAYCLIENT=", plain, " from=example.com reason=off", 0},
		{"dkimkeys exempts before options", dir(map[string]string{"control/dkimkeys": "example.com::DKIMSIGNOPTIONS=-Z"}), "RELAYCLIENT=", plain, " from=example.com reason=off", 0},
		{"dkimkeys without key", dir(map[string]string{"control/dkimkeys": "*:control/none"}), "RELAYCLIENT=", plain, " from=example.com reason=no-key key=control/none", 32},
		{"dkimkeys bad options", dir(map[string]string{"control/dkimkeys": "*:control/%/x:DKIMSIGNOPTIONS=-c x"}), "RELAYCLIENT=", plain, " from=example.com reason=bad-options cause=-c-x", 71},
		{"dkimkeys bad line", dir(map[string]string{"control/dkimkeys": "example.com"}), "RELAYCLIENT=", plain, " from=example.com reason=bad-dkimkeys cause=line-without-path-or-value", 71},
		{"dkimkeys unreadable", dir(map[string]string{"control/dkimkeys/x": ""}), "RELAYCLIENT=", plain, " from=example.com reason=bad-dkimkeys cause=is-a-directory", 71},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			environ := append(rules.Environ{"QMAILHOME=" + test.home}, strings.Split(test.environ, ";")...)
			out, report, err := process(t, environ, test.msg, "one@example.org", "Two@x.C.example")
			code := 0
			if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
				code = refusal.Code
				report.fail(err)
			} else if err != nil {
				t.Fatal(err)
			}
			if _, log, _ := strings.Cut(strings.TrimSuffix(report.Line(1), "\n"), " pid=1"); log != test.log || code != test.code {
				t.Errorf("log %q, code %d; want %q, %d", log, code, test.log, test.code)
			}
			switch {
			case code != 0:
				if out != "" {
					t.Errorf("refused, but passed on: %q", out)
				}
			case len(report.Signed) > 0:
				good(t, out, len(report.Signed))
			case out != test.msg:
				t.Errorf("not untouched: %q", out)
			}
		})
	}
}

// The client hears neither paths nor causes.
func TestRefusalText(t *testing.T) {
	t.Parallel()
	home := newHome(t, map[string]string{"control/secret": "rubbish"})
	_, _, err := process(t, rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/secret"}, plain)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Text != "Zqmail-dkim: unable to read private key. (#4.3.0)" {
		t.Errorf("error %+v", err)
	}
	_, err = ConfigFrom(rules.Environ{"DKIMSIGN=x", "DKIMSIGNOPTIONS=-x abc"})
	if !errors.As(err, &refusal) || refusal.Text != "Zqmail-dkim: Invalid DKIMSIGNOPTIONS (#4.3.0)" {
		t.Errorf("error %+v", err)
	}
}

// A large message goes through a file and still is signed and unchanged.
func TestProcessLarge(t *testing.T) {
	t.Parallel()
	msg := plain + strings.Repeat("0123456789 abcdefghijklmnopqrstuvwxyz\n", 200_000)
	for _, environ := range []rules.Environ{{"RELAYCLIENT="}, {"DKIMVERIFY="}} {
		environ = append(environ, "QMAILHOME="+keyHome(t), "TMPDIR="+t.TempDir())
		out, report, err := process(t, environ, msg)
		if err != nil || !strings.HasSuffix(out, "\n"+msg) {
			t.Errorf("%v: %v, %d bytes of %d", environ[0], err, len(out), len(msg))
		}
		if report.Verdict == nil {
			good(t, out, 1)
		}
	}
}

// A source that fails, a full or missing folder for spools, recipients that
// cannot be read: nothing is passed on.
func TestProcessTrouble(t *testing.T) {
	t.Parallel()
	home := keyHome(t)
	large := plain + strings.Repeat("x\n", spool.MaxMemory)
	broken := errors.New("broken")
	none := filepath.Join(home, "none")
	for _, test := range []struct {
		name, tmp  string
		src        string
		end, rcpts error
		wantReason string
	}{
		{"source", "", large, broken, nil, "read-error"},
		{"source in header", "", "From: x\n", broken, nil, "read-error"},
		{"no folder", none, large, io.EOF, nil, "spool-error"},
		{"no folder, large header", none, "From: " + large, io.EOF, nil, "spool-error"},
		{"recipients", "", plain, io.EOF, broken, "bad-envelope"},
	} {
		for _, mode := range []string{"RELAYCLIENT=", "DKIMVERIFY=", "DKIMSIGN="} {
			c, err := ConfigFrom(rules.Environ{"QMAILHOME=" + home, mode, "TMPDIR=" + test.tmp})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			f := &Filter{Config: c, Recipients: func() ([]string, error) { return nil, test.rcpts }}
			report, err := f.Process(t.Context(), &out, io.MultiReader(strings.NewReader(test.src), iotest.ErrReader(test.end)))
			if err == nil || report.Reason != test.wantReason || out.Len() > 0 {
				t.Errorf("%s, %s: %v, reason %s, %d bytes passed on", test.name, mode, err, report.Reason, out.Len())
			}
		}
	}
}
