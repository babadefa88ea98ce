package qmaildkim

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"ucspi-go/rules"
)

// Every awkward message, with every canonicalization and both kinds of key,
// leaves as it came below signatures that verify.
func TestSignAwkward(t *testing.T) {
	t.Parallel()
	home := keyHome(t)
	for _, c := range []string{"r", "s", "t", "u"} {
		for _, key := range []string{"rsa", "ed"} {
			t.Run(c+"/"+key, func(t *testing.T) {
				t.Parallel()
				environ := rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/" + key, "DKIMSIGNOPTIONS=-c " + c}
				for _, m := range slices.Concat(awkwardMails(), internationalMails()) {
					out, report, err := process(t, environ, m.text)
					if err != nil || len(report.Signed) != 1 || report.Signed[0].Domain != m.domain() {
						t.Errorf("%s: %+v, %v; want one signature of %s", m.name, report, err, m.domain())
						continue
					}
					field, below := strings.CutSuffix(out, m.text)
					if !below || strings.Contains(field, "\r") || !strings.HasPrefix(field, "DKIM-Signature:") {
						t.Errorf("%s: the message changed, or the field has CR: %q", m.name, field)
					}
					for line := range strings.Lines(field) {
						if len(line) > 998 {
							t.Errorf("%s: line of %d bytes", m.name, len(line))
						}
					}
					t.Run(m.name, func(t *testing.T) { good(t, out, 1) })
				}
			})
		}
	}
}

// TestSignStandards signs the message of RFC 8463 appendix A with its Ed25519
// key: the body hash is the one there, and the key's record the published one.
func TestSignStandards(t *testing.T) {
	t.Parallel()
	seed, err := base64.StdEncoding.DecodeString("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
	if err != nil {
		t.Fatal(err)
	}
	home := newHome(t, map[string]string{"brisbane": keyPEM(t, ed25519.NewKeyFromSeed(seed))})
	signed, err := os.ReadFile("../testdata/messages/rfc8463.eml")
	if err != nil {
		t.Fatal(err)
	}
	msg := string(signed[bytes.Index(signed, []byte("\nFrom:"))+1:])
	out, report, err := process(t, rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=brisbane"}, msg)
	if err != nil || !strings.Contains(out, " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;") {
		t.Errorf("%+v, %v: %s", report, err, out)
	}
	keys := zone{"brisbane._domainkey.football.example.com": {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}}
	for _, out := range []string{out, crlf(out)} {
		if v := verdictOf(t, out, keys); v.Letter != letterGood {
			t.Errorf("%+v", v)
		}
	}
}

// A whole header, with the clock of a bubble.
func TestSignatureField(t *testing.T) {
	t.Parallel()
	home := keyHome(t)
	for _, test := range []struct{ environ, want string }{
		{"", "DKIM-Signature: a=ed25519-sha256; bh=WewD6liDdtFP/JefeAuZGMLQgofUWToHDqWiJdvkEH8=;\n" +
			" c=relaxed/relaxed; d=example.com; h=From:From:Subject:Subject:To:To; s=ed;\n" +
			" t=946684800; v=1; x=947289600;\n" +
			" b=CtZiRzhNlcerxiGGecrIrTWQA8uS6aktQrrmQ9gGIt9gXbFYmPyqDPEC/mEoShz8AlGZhkRg\n AonhJvijZrU8AQ==\n"},
		{"DKIMSIGNOPTIONS=-q -t -c u -x3600 -i joe;x=@Sub.EXAMPLE.com", " c=simple/relaxed; d=example.com; h=From:From:Subject:Subject:To:To;\n" +
			" i=joe=3Bx=3D@sub.example.com; q=dns/txt; s=ed; t=946684800; v=1;\n x=946688400;\n b="},
		{"DKIMEXPIRE=", " s=ed;\n t=946684800; v=1;\n b="},
		{"DKIMEXPIRE=5", " x=946684805;\n b="},
		{"DKIMSIGNOPTIONS=-x -", " v=1;\n b="},
		{"DKIMIDENTITY=@example.com", " i=@example.com;"},
		{"EXCLUDE_DKIMSIGN=sub:FROM", " h=From:From:To:To;"},
		{"DKIMDOMAIN=x@example.com", " d=example.com;"},
	} {
		// The bubble's clock starts at midnight UTC 2000-01-01.
		synctest.Test(t, func(t *testing.T) {
			out, _, err := process(t, rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/ed", test.environ}, plain)
			if err != nil || !strings.Contains(out, test.want) {
				t.Errorf("%s: %v\n%s, want\n%s", test.environ, err, out, test.want)
			}
			good(t, out, 1)
			if again, _, _ := process(t, rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/ed", test.environ}, plain); again != out {
				t.Errorf("%s: not the same a second time", test.environ)
			}
		})
	}
}

// What is signed cannot be changed, nor a second From be added.
func TestSignatureProtects(t *testing.T) {
	t.Parallel()
	environ := rules.Environ{"QMAILHOME=" + keyHome(t), "RELAYCLIENT="}
	out, _, err := process(t, environ, plain)
	if err != nil {
		t.Fatal(err)
	}
	field, _ := strings.CutSuffix(out, plain)
	for _, changed := range []string{
		strings.Replace(out, "dinner", "lunch", 1),
		strings.Replace(out, "We lost", "We won", 1),
		out + "more\n",
		field + "From: eve@example.com\n" + plain,
		field + "Subject: lunch\n" + plain,
		field + strings.Replace(plain, "\n\n", "\nTo: eve@example.com\n\n", 1),
	} {
		if v := verdictOf(t, changed, signedZone()); v.Letter == letterGood {
			t.Errorf("verifies though changed:\n%s", changed)
		}
	}
}

// Two signatures in one pass, the second on top, never of one d= and s=.
func TestSignTwice(t *testing.T) {
	t.Parallel()
	files := func(extra map[string]string) string {
		extra["control/domainkeys/example.com/default"] = keyPEM(t, rsaKey())
		return newHome(t, extra)
	}
	for _, test := range []struct {
		name, home, settings string
		line                 string // of the log, from d= on
		refused              bool
	}{
		{name: "beside", home: files(map[string]string{"control/domainkeys/example.com/default-ed25519": keyPEM(t, edKey)}),
			line: "d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default" +
				" d=example.com s=default-ed25519 a=ed25519-sha256 key=control/domainkeys/example.com/default-ed25519 rcpts=1"},
		{name: "extra", home: keyHome(t), settings: "DKIMSIGNEXTRA=control/domainkeys/%/ed",
			line: "d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default" +
				" d=example.com s=ed a=ed25519-sha256 key=control/domainkeys/example.com/ed rcpts=1"},
		{name: "extra missing", home: keyHome(t), settings: "DKIMSIGNEXTRA=control/domainkeys/none",
			line: "d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default rcpts=1 warn=no-extra-key"},
		{name: "same", home: keyHome(t), settings: "DKIMSIGNEXTRA=control/domainkeys/example.com/default",
			line: "d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default rcpts=1 warn=same-selector"},
		{name: "same in other letters", home: files(map[string]string{"control/DEFAULT": keyPEM(t, edKey)}), settings: "DKIMSIGNEXTRA=control/DEFAULT",
			line: "d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default rcpts=1 warn=same-selector"},
		{name: "extra bad", home: files(map[string]string{"control/bad": "no key"}), settings: "DKIMSIGNEXTRA=control/bad", refused: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out, report, err := process(t, rules.Environ{"QMAILHOME=" + test.home, "RELAYCLIENT=", test.settings}, plain, "a@b")
			if refusal := (*Refusal)(nil); errors.As(err, &refusal) != test.refused {
				t.Fatalf("error %v, want refusal %v", err, test.refused)
			}
			if test.refused {
				return
			}
			if _, line, _ := strings.Cut(report.Line(1), " from=example.com "); line != test.line+"\n" {
				t.Errorf("log %q, want %q", line, test.line)
			}
			good(t, out, len(report.Signed))
			if n := strings.Count(out, "DKIM-Signature:"); n != len(report.Signed) {
				t.Errorf("%d signatures, want %d", n, len(report.Signed))
			}
			if len(report.Signed) == 2 && !strings.Contains(out[:strings.Index(out, " b=")], "ed25519") {
				t.Error("the second signature is not on top")
			}
		})
	}
}

// The inputs on which the library is slower than linear. Were they fed to it
// as they are, this test would not end.
func TestSignSuperLinear(t *testing.T) {
	t.Parallel()
	home := keyHome(t)
	const size = 1 << 20
	from := "From: joe@example.com\n"
	for _, test := range []struct{ name, msg, reason string }{
		{name: "folded field", msg: from + "Subject: x\n" + strings.Repeat(" x\n", maxHeader/3-100) + "\nbody\n"},
		{name: "too much of a folded field", msg: from + "Subject: x\n" + strings.Repeat(" x\n", size/3) + "\nbody\n", reason: faultLimit},
		{name: "many fields", msg: from + strings.Repeat("To: x\n", maxFields-1) + "\nbody\n"},
		{name: "too many fields", msg: from + strings.Repeat("To: x\n", size/6) + "\nbody\n", reason: faultLimit},
		{name: "too large a header", msg: from + "Subject: " + strings.Repeat("x", size) + "\n\nbody\n", reason: faultLimit},
		{name: "header without end", msg: strings.Repeat("x", 3*size), reason: faultLimit},
		{name: "blank lines at the end", msg: from + "\nbody\n" + strings.Repeat("\n", size)},
		{name: "blank lines alone", msg: from + "\n" + strings.Repeat("\r\n", size)},
		{name: "blank lines inside", msg: from + "\nbody\n" + strings.Repeat("\n", size) + "x\n", reason: reasonBlankLines},
		{name: "lines of blanks inside", msg: from + "\nbody\n" + strings.Repeat(" \n", size) + "x\n", reason: reasonBlankLines},
		{name: "CR inside", msg: from + "\nbody\n" + strings.Repeat("\r", size) + "x\n", reason: reasonBlankLines},
		{name: "several runs", msg: from + "\n" + strings.Repeat("x"+strings.Repeat("\n", 20000), size/20000)},
	} {
		for _, c := range []string{"r", "s"} {
			t.Run(test.name+"/"+c, func(t *testing.T) {
				t.Parallel()
				environ := rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/ed", "DKIMSIGNOPTIONS=-c " + c}
				out, report, err := process(t, environ, test.msg)
				if err != nil || report.Reason != test.reason {
					t.Fatalf("reason %q, %v; want %q", report.Reason, err, test.reason)
				}
				field, below := strings.CutSuffix(out, test.msg)
				if !below || (field == "") != (test.reason != "") {
					t.Errorf("the message changed or has the wrong fields: %q", field)
				}
			})
		}
	}
}
