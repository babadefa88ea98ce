package qmaildkim

import (
	"errors"
	"strings"
	"testing"

	"ucspi-go/internal/qmail"
	"ucspi-go/rules"

	"github.com/emersion/go-msgauth/dkim"
)

// letterCases are messages for every letter that verifying gives, with the
// code that the table of qmail-dkim has for it and the text.
var letterCases = []struct {
	letter Letter
	msg    func(t *testing.T) string
	record string // of the signature's key; empty for the usual
	set    string // settings, separated by semicolons
	code   string
	text   string
}{
	{'A', signed(nil), "", "", "7.0", "good"},
	{'C', func(t *testing.T) string { return "DKIM-Signature: v=2\n" + signed(nil)(t) }, "", "", "7.0", "verify result: at least one but not all signatures verified"},
	{'E', signed(replace(" v=1;", " v=1; l=3;")), "", "", "7.0", "signature result: signature does not cover all of the body"},
	{'F', func(t *testing.T) string { return sign(t, plain, rsaKey(), dkim.SignOptions{Domain: "list.example"}) }, "", "DKIMALIGN=", "7.0", "signature result: 3rd-party signature"},
	{'G', unsigned, "", "SIGNATUREDOMAINS=Example.com", "7.0", "DKIM Signature verification failed"},
	{'H', signed(replace("c=relaxed/relaxed", "c=nowsp")), "", "", "7.5", "signature error: DKIM-Signature could not parse or has bad tags/values"},
	{'I', signed(replace("dinner", "lunch")), "", "", "7.5", "signature error: RSA/ED25519 verify failed"},
	{'J', signed(replace("dinner", "lunch")), "t=y", "", "7.5", "signature error: RSA/ED25519 verify failed but testing"},
	{'K', signed(func(s string) string { return replace(" v=1;", " v=1; x=5;")(dropTime(s)) }), "", "", "7.5", "signature error: x= is old"},
	{'L', signed(nil), "k=dsa", "", "7.5", "signature error: selector doesn't parse or contains invalid values"},
	{'N', signed(nil), "p=", "", "7.5", "signature error: selector p= empty"},
	{'O', signed(nil), "n=" + strings.Repeat("x", maxKeyRecord), "", "7.0", "signature error: selector domain name too long to request"},
	{'P', signed(nil), "none", "", "7.0", "signature error: temporary dns failure requesting selector"},
	{'Q', signed(replace("s=rsa", "s=rsb")), "", "", "7.0", "signature error: permanent dns failure requesting selector"},
	{'R', signed(nil), "p=AAAA", "", "7.5", "signature error: selector p= value invalid or wrong format"},
	{'S', unsigned, "", "", "7.5", "no signatures"},
	{'T', func(t *testing.T) string { return strings.Repeat("X: y\n", maxVerifyFields) + signed(nil)(t) }, "", "", "7.5", "no valid signatures"},
	{'U', signed(replace("lost", "won")), "", "", "7.7", "signature verify error: message body does not hash to bh value"},
	{'V', signed(replace("a=rsa-sha256", "a=rsa-sha1")), "", "", "7.7", "signature error: selector h= doesn't match signature a="},
	{'W', signed(replace("v=1", "v=2")), "", "", "7.6", "signature error: incompatible v="},
	{'X', func(t *testing.T) string { return "From: eve@example.net\n" + signed(nil)(t) }, "", "", "7.7", "signature error: not all message's From headers in signature"},
	{'Y', signed(replace(" v=1;", " v=1; i=joe@example.org;")), "", "", "7.7", "signature error: invalid identity in signature"},
}

func unsigned(*testing.T) string { return plain }

// signed makes a signed message and then changes it.
func signed(change func(string) string) func(*testing.T) string {
	return func(t *testing.T) string {
		msg := sign(t, plain, rsaKey(), dkim.SignOptions{})
		if change == nil {
			return msg
		}
		changed := change(msg)
		if changed == msg {
			t.Fatal("the message did not change")
		}
		return changed
	}
}

// zoneFor publishes the keys with a tag put into the record, or changed there.
func zoneFor(record string) zone {
	z := testZone()
	switch name, _, _ := strings.Cut(record, "="); {
	case record == "none":
		z[keyOfRSA] = nil
	case name == "p":
		z[keyOfRSA] = []string{record}
	case name == "k":
		z[keyOfRSA] = []string{strings.Replace(rsaRecord(), "k=rsa", record, 1)}
	case record != "":
		z[keyOfRSA] = []string{record + "; " + rsaRecord()}
	}
	return z
}

// verifyWith verifies msg with settings on top of an empty home.
func verifyWith(t *testing.T, z zone, msg string, settings ...string) (out string, report Report, refused *Refusal) {
	t.Helper()
	c, err := ConfigFrom(append(rules.Environ{"QMAILHOME=" + t.TempDir(), "DKIMAUTHSERVID=mx"}, settings...))
	if err != nil {
		t.Fatal(err)
	}
	f := &Filter{Config: c, LookupTXT: z.lookupTXT}
	var b strings.Builder
	report, err = f.Process(t.Context(), &b, strings.NewReader(msg))
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return b.String(), report, refused
}

// Every letter: absent it only labels, in upper case it rejects, in lower case
// it defers, and upper case is looked for first.
func TestLetters(t *testing.T) {
	t.Parallel()
	for _, test := range letterCases {
		t.Run(test.letter.String(), func(t *testing.T) {
			t.Parallel()
			upper, lower := test.letter.String(), strings.ToLower(test.letter.String())
			others := strings.Map(func(r rune) rune {
				if string(r) == upper {
					return -1
				}
				return r
			}, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
			rejected := "Dqmail-dkim: " + test.text + " (#5." + test.code + ")"
			deferred := "Zqmail-dkim: " + test.text + " (#4." + test.code + ")"
			msg, z := test.msg(t), zoneFor(test.record)
			for _, c := range []struct {
				letters string
				action  string
				code    qmail.Code
				text    string
			}{
				{"", "accept", 0, ""},
				{others + strings.ToLower(others), "accept", 0, ""},
				{others + upper, "reject", qmail.Permanent, rejected},
				{lower, "defer", qmail.Temporary, deferred},
				{lower + "?" + upper, "reject", qmail.Permanent, rejected},
			} {
				out, report, refused := verifyWith(t, z, msg, append(strings.Split(test.set, ";"), "DKIMVERIFY="+c.letters)...)
				if report.Verdict.Letter != test.letter || report.Action != c.action {
					t.Fatalf("DKIMVERIFY=%s: %v %+v, want %v %v", c.letters, report.Action, *report.Verdict, c.action, test.letter)
				}
				if c.action == "accept" {
					if refused != nil || !strings.HasSuffix(out, msg) {
						t.Errorf("DKIMVERIFY=%s: %v, %q", c.letters, refused, out)
					}
					continue
				}
				if refused == nil || qmail.Code(refused.Code) != c.code || refused.Text != c.text || out != "" {
					t.Errorf("DKIMVERIFY=%s: %+v and %d bytes passed on, want %v %q", c.letters, refused, len(out), c.code, c.text)
				}
				if want := " verdict=" + c.action + "\n"; !strings.HasPrefix(report.Line(1), "qmail-dkim: refuse ") || !strings.HasSuffix(report.Line(1), want) {
					t.Errorf("DKIMVERIFY=%s: log %q, want %q", c.letters, report.Line(1), want)
				}
				out, report, refused = verifyWith(t, z, msg, append(strings.Split(test.set, ";"), "DKIMDRYRUN=", "DKIMVERIFY="+c.letters)...)
				if want := " verdict=accept dryrun=" + c.action + "\n"; refused != nil || !strings.HasSuffix(out, msg) || !strings.HasSuffix(report.Line(1), want) {
					t.Errorf("dry run of DKIMVERIFY=%s: %v, log %q, want %q", c.letters, refused, report.Line(1), want)
				}
			}
		})
	}
}

// The letters of every case, those that refuse nothing, and no others.
func TestLettersAreAll(t *testing.T) {
	t.Parallel()
	got := "BDM" // B and M are given to no message, D never refuses
	for _, test := range letterCases {
		got += test.letter.String()
	}
	for l := 'A'; l <= 'Y'; l++ {
		if strings.Count(got, string(l)) != 1 {
			t.Errorf("letter %c has %d cases", l, strings.Count(got, string(l)))
		}
	}
	if len(got) != 25 {
		t.Errorf("cases for %s", got)
	}
	const neutral = "d=example.com; z=From:Bob=20Smith"
	_, report, refused := verifyWith(t, testZone(), craft(neutral), "DKIMVERIFY=DdBbMm")
	if report.Verdict.Letter != letterNeutral || refused != nil {
		t.Errorf("letter %v, refused %+v; want D, which never refuses", report.Verdict.Letter, refused)
	}
}

// The sets that sites have: that of the notes, and today's conservative one,
// which lets a missing key pass.
func TestLetterSets(t *testing.T) {
	t.Parallel()
	const notes, today = "FGHIKLMNOQRTUVWjp", "FGHIKLMNORTUVWjp"
	for _, test := range letterCases {
		for _, c := range []struct{ set, reject, pass string }{
			{notes, "FGHIKLNOQRTUVW", "ACESXY"},
			{today, "FGHIKLNORTUVW", "ACEQSXY"},
		} {
			_, report, _ := verifyWith(t, zoneFor(test.record), test.msg(t), append(strings.Split(test.set, ";"), "DKIMVERIFY="+c.set)...)
			want := "defer"
			switch l := test.letter.String(); {
			case strings.Contains(c.reject, l):
				want = "reject"
			case strings.Contains(c.pass, l):
				want = "accept"
			}
			if report.Action != want {
				t.Errorf("%s and %v: %s, want %s", c.set, test.letter, report.Action, want)
			}
		}
	}
}

// One good signature is enough, whatever is beside it.
func TestOneGoodSignature(t *testing.T) {
	t.Parallel()
	good := sign(t, plain, edKey, dkim.SignOptions{})
	field := good[:strings.Index(good, "From: ")]
	for _, msg := range []string{
		strings.Replace(field, "s=ed", "s=none", 1) + good,
		field + strings.Replace(field, "bh=", "bh=A", 1) + plain,
		strings.Repeat("DKIM-Signature: rubbish\n", 9) + good,
	} {
		_, report, refused := verifyWith(t, testZone(), msg, "DKIMVERIFY=FGHIKLMNOQRTUVWXYjp")
		if report.Verdict.Letter != letterPartial || refused != nil {
			t.Errorf("letter %v, refused %+v", report.Verdict.Letter, refused)
		}
	}
}

// UNSIGNED_FROM relaxes X; UNSIGNED_SUBJECT has nothing to relax, since h=
// need not name Subject.
func TestUnsignedFields(t *testing.T) {
	t.Parallel()
	two := "From: eve@example.net\n" + signed(nil)(t)
	for _, test := range []struct {
		set    string
		letter Letter
	}{{"UNSIGNED_SUBJECT=", 'X'}, {"UNSIGNED_FROM=", 'A'}, {"UNSIGNED_FROM=x;DKIMALIGN=", 'F'}} {
		_, report, _ := verifyWith(t, testZone(), two, strings.Split(test.set, ";")...)
		if report.Verdict.Letter != test.letter {
			t.Errorf("%s: %v, want %v", test.set, report.Verdict.Letter, test.letter)
		}
	}
	if _, report, _ := verifyWith(t, zone{keyOfEd: {edRecord()}}, withoutSubject()); report.Verdict.Letter != letterGood {
		t.Errorf("h= without Subject: %v", report.Verdict.Letter)
	}
}

// withoutSubject is a good message whose signature does not cover Subject.
func withoutSubject() string {
	return strings.Replace(craftOver("from", "from:joe@example.com\r\n", "d=example.com"), "\nSubject: dinner", "\nSubject: lunch", 1)
}

// Practices were dead code, and have no effect here; nor have the variables of
// other forks that nothing reads.
func TestPractices(t *testing.T) {
	t.Parallel()
	bad := signed(replace("lost", "won"))(t)
	_, report, refused := verifyWith(t, testZone(), bad, "DKIMVERIFY=U", "DKIMPRACTICE=U", "SIGN_PRACTICE=adsp",
		"HONOR_BODYLENGTHTAG=", "SELECTOR_DATA=v=DKIM1; p=", "QREGEX=", "QMAILAUTHENTICATED=dkim=pass", "BOUNCEDOMAIN=example.net")
	if report.Verdict.Letter != letterBody || refused == nil {
		t.Errorf("letter %v, refused %v", report.Verdict.Letter, refused)
	}
	length := signed(replace(" v=1;", " v=1; l=3;"))(t)
	if _, report, _ = verifyWith(t, testZone(), length, "DKIMVERIFY=", "HONOR_BODYLENGTHTAG="); report.Verdict.Letter != letterExtra {
		t.Errorf("l= has letter %v", report.Verdict.Letter)
	}
}

// A relay client's mail that is not to be verified passes untouched.
func TestRelayClientExempt(t *testing.T) {
	t.Parallel()
	forged := "DKIM-Status: good\n" + plain
	for _, relay := range []string{"RELAYCLIENT=", "AUTHINFO=joe"} {
		out, report, refused := verifyWith(t, testZone(), forged, "DKIMVERIFY=S", "RELAYCLIENT_NODKIMVERIFY=", relay)
		if out != forged || refused != nil || report.Line(1) != "qmail-dkim: unsigned pid=1 from=example.com reason=relayclient\n" {
			t.Errorf("%s: %v, log %q, passed on %q", relay, refused, report.Line(1), out)
		}
	}
	if _, _, refused := verifyWith(t, testZone(), forged, "DKIMVERIFY=S", "RELAYCLIENT_NODKIMVERIFY="); refused == nil {
		t.Error("a stranger is exempt")
	}
	if _, _, refused := verifyWith(t, testZone(), forged, "DKIMVERIFY=S", "RELAYCLIENT="); refused == nil {
		t.Error("a relay client is exempt without RELAYCLIENT_NODKIMVERIFY")
	}
}

// What cannot be judged has the benefit of the doubt only with a key behind it
// and, under DKIMALIGN, for the author's domain.
func TestDoubt(t *testing.T) {
	t.Parallel()
	key := zone{keyOfEd: {edRecord()}, "ed._domainkey.list.example": {edRecord()}}
	twice := zone{keyOfEd: {edRecord(), edRecord()}}
	revoked := zone{keyOfEd: {"v=DKIM1; k=ed25519; p="}}
	long := zone{keyOfEd: {"n=" + strings.Repeat("x", maxKeyRecord) + "; " + edRecord()}}
	for _, test := range []struct {
		tags   string
		zone   zone
		set    string
		letter Letter
	}{
		{"d=example.com; q=dns", key, "", 'D'},
		{"d=example.com; q=dns", zone{}, "", 'Q'},
		{"d=example.com; q=dns", zone{keyOfEd: nil}, "", 'P'},
		{"d=example.com; q=dns", twice, "", 'L'},
		{"d=example.com; q=dns", revoked, "", 'R'},
		{"d=example.com; q=dns", long, "", 'O'},
		{"d=example.com; i=@Example.com", key, "", 'D'},
		{"d=example.com; i=@Example.com", zone{}, "", 'Q'},
		{"d=list.example; q=dns", key, "", 'D'},
		{"d=list.example; q=dns", key, "DKIMALIGN=", 'F'},
		{"d=example.com; q=dns", key, "DKIMALIGN=", 'D'},
	} {
		_, report, _ := verifyWith(t, test.zone, craft(test.tags), test.set)
		if report.Verdict.Letter != test.letter {
			t.Errorf("%s %s: %v (%+v), want %v", test.tags, test.set, report.Verdict.Letter, report.Verdict.Signatures, test.letter)
		}
	}
	// One without a key does not outweigh a bad one.
	altered := "DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=n; q=dns; h=from; bh=AAAA; b=AAAA\n" + signed(replace("lost", "won"))(t)
	if _, report, refused := verifyWith(t, testZone(), altered, "DKIMVERIFY=UQ"); refused == nil {
		t.Errorf("accepted: %+v", report.Verdict)
	}
}

// A From field behind a bare CR counts: qmail-remote makes a line end of it.
func TestHiddenFrom(t *testing.T) {
	t.Parallel()
	_, report, _ := verifyWith(t, testZone(), "X: y\rFrom: ceo@bank.example\n"+signed(nil)(t))
	if report.Verdict.Letter != letterFrom {
		t.Errorf("letter %v, want X", report.Verdict.Letter)
	}
}

// A first line that continues nothing must not continue our own fields.
func TestLeadingContinuation(t *testing.T) {
	t.Parallel()
	for _, lead := range []string{"\t; dkim=pass header.d=bank.example\n", " x\n\ty\n", " \n"} {
		out, _, _ := verifyWith(t, testZone(), lead+plain)
		if want := "Authentication-Results: mx;\n\tdkim=none\n" + plain; !strings.HasSuffix(out, want) {
			t.Errorf("%q: labelled\n%s", lead, out)
		}
	}
}
