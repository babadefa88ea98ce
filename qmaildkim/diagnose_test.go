package qmaildkim

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// signC is sign with c= and the signed fields chosen.
func signC(t testing.TB, msg string, key crypto.Signer, c string, names ...string) string {
	t.Helper()
	header, body, _ := strings.Cut(c, "/")
	o := &dkim.SignOptions{Domain: "example.com", Selector: "rsa", Signer: key, HeaderKeys: names,
		HeaderCanonicalization: dkim.Canonicalization(header), BodyCanonicalization: dkim.Canonicalization(body)}
	if _, ok := key.(ed25519.PrivateKey); ok {
		o.Selector = "ed"
	}
	s, err := dkim.NewSigner(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, msg); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(s.Signature(), "\r\n", "\n") + msg
}

const meeting = `Received: from a by b; 1 Jan 2026
From: Joe <joe@example.com>
To: Sue <sue@example.org>,
 Bob <bob@example.org>
Subject: Re: dinner
Date: Thu, 1 Jan 2026 00:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Hi.

Gr` + "\xc3\xbc\xc3\x9fe,  we met.\nFrom now on we rest.\n.signature\n-- \nJoe\n"

var meetingNames = []string{"From", "From", "To", "Subject", "Subject", "Date", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Reply-To"}

const parts = `From: joe@example.com
Subject: parts
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_1"

--=_1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Gr` + "\xc3\xbc\xc3\x9fe\n" + `
--=_1
Content-Type: application/pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQK

--=_1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<p>Gr` + "\xc3\xbc\xc3\x9fe</p>\n" + `
--=_1--
`

var partNames = []string{"From", "Subject", "Content-Type", "Content-Transfer-Encoding"}

func chain(changes ...func(string) string) func(string) string {
	return func(s string) string {
		for _, change := range changes {
			s = change(s)
		}
		return s
	}
}

func addEnd(text string) func(string) string { return func(s string) string { return s + text } }

// TestDiagnose alters signed messages in every known way.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	quotedPrintable := replace("Gr\xc3\xbc\xc3\x9fe", "Gr=C3=BC=C3=\n=9Fe")
	for _, test := range []struct {
		name   string
		msg    string
		names  []string
		c      string
		change func(string) string
		letter Letter
		words  string
		text   string
	}{
		{"footer", meeting, meetingNames, "relaxed/relaxed", addEnd("_______\nthe list\n\n"), 'U',
			"footer", "passes without the last 2 lines: a footer was added"},
		{"footer, simple", meeting, meetingNames, "simple/simple", addEnd("\nthe list"), 'U',
			"footer", "passes without the last 2 lines: a footer was added"},
		{"footer of a line", meeting, meetingNames, "relaxed/relaxed", addEnd("list\n"), 'U',
			"footer", "passes without the last line: a footer was added"},
		{"footer as a part", parts, partNames, "relaxed/relaxed", replace("--=_1--\n", "--=_1\nContent-Type: text/plain\n\nthe list\n--=_1--\n"), 'U',
			"footer", "passes without the last part: a footer was added"},
		{"two footers as parts", parts, partNames, "simple/simple", replace("--=_1--\n", "--=_1\n\nthe list\n--=_1\n\nvirus free\n--=_1--\n"), 'U',
			"footer", "passes without the last 2 parts: a footer was added"},
		{"footer below the parts", parts, partNames, "relaxed/simple", addEnd("the list\n"), 'U',
			"footer", "passes without the last line: a footer was added"},
		{"tag", meeting, meetingNames, "relaxed/relaxed", replace("Subject: ", "Subject: [list] "), 'I',
			"subject-tag", `passes with Subject without "[list] ": a tag was put into the subject`},
		{"tag behind Re", meeting, meetingNames, "simple/simple", replace("Re: ", "Re: [list] "), 'I',
			"subject-tag", `passes with Subject without "[list] ": a tag was put into the subject`},
		{"tag moved", strings.Replace(meeting, "Re: ", "Re: [list] ", 1), meetingNames, "relaxed/simple", replace("Re: [list] ", "[list] Re: "), 'I',
			"subject-tag", `passes with Subject with "[list] " behind "Re: ": a tag was put into the subject`},
		{"tags", meeting, meetingNames, "relaxed/relaxed", replace("Subject: ", "Subject: [EXT] *****SPAM***** "), 'I',
			"subject-tag", `passes with Subject without "[EXT] *****SPAM***** ": a tag was put into the subject`},
		{"hostile tag", meeting, meetingNames, "relaxed/relaxed", replace("Subject: ", "Subject: [\x1b\"\xff] "), 'I',
			"subject-tag", `passes with Subject without "[?'?] ": a tag was put into the subject`},
		{"list", meeting, meetingNames, "relaxed/relaxed", chain(replace("Subject: ", "Subject: [list] "), addEnd("the list\n")), 'U',
			"subject-tag+footer", `passes with Subject without "[list] " and without the last line: a tag was put into the subject, a footer was added`},
		{"list with Reply-To", meeting, meetingNames, "relaxed/relaxed", chain(replace("Subject: ", "Reply-To: list@example.net\nSubject: [list] "), addEnd("the list\n")), 'U',
			"subject-tag+added-field+footer", `passes with Subject without "[list] " and without the field "Reply-To" and without the last line: a tag was put into the subject, a field was added, a footer was added`},
		{"Reply-To", meeting, meetingNames, "simple/simple", replace("Date: ", "Reply-To: list@example.net\nDate: "), 'I',
			"added-field", `passes without the field "Reply-To": a field was added`},
		{"encoded", meeting, meetingNames, "relaxed/relaxed", chain(quotedPrintable, replace("Encoding: 8bit", "Encoding: quoted-printable")), 'U',
			"reencoded", "passes with Content-Transfer-Encoding 8bit and with the body decoded: Content-Transfer-Encoding was changed, the body was encoded anew"},
		{"encoded, simple", meeting, meetingNames, "simple/simple", chain(quotedPrintable, replace("-- \n", "--=20\n"), replace("Encoding: 8bit", "Encoding: Quoted-Printable")), 'U',
			"reencoded", "passes with Content-Transfer-Encoding 8bit and with the body decoded: Content-Transfer-Encoding was changed, the body was encoded anew"},
		{"base64", meeting, meetingNames, "relaxed/relaxed", func(s string) string {
			head, body, _ := strings.Cut(s, "\n\n")
			return strings.Replace(head, "Encoding: 8bit", "Encoding: base64", 1) + "\n\n" + base64.StdEncoding.EncodeToString([]byte(body)) + "\n"
		}, 'U', "reencoded", "passes with Content-Transfer-Encoding 8bit and with the body decoded: Content-Transfer-Encoding was changed, the body was encoded anew"},
		{"encoded on a list", meeting, meetingNames, "relaxed/relaxed", chain(quotedPrintable, replace("Encoding: 8bit", "Encoding: quoted-printable"), replace("Re: ", "Re: [list] "), addEnd("--=20\nlist\n")), 'U',
			"subject-tag+reencoded+footer", `passes with Subject without "[list] " and with Content-Transfer-Encoding 8bit and with the body decoded and without the last 2 lines: a tag was put into the subject, Content-Transfer-Encoding was changed, the body was encoded anew, a footer was added`},
		{"encoding's name", meeting, meetingNames, "relaxed/relaxed", replace("Encoding: 8bit", "Encoding: 7bit"), 'I',
			"reencoded", "passes with Content-Transfer-Encoding 8bit: Content-Transfer-Encoding was changed"},
		{"encoding's name, 7bit before", strings.Replace(meeting, "8bit", "7bit", 1), meetingNames, "relaxed/relaxed", replace("Encoding: 7bit", "Encoding: 8bit"), 'I',
			"reencoded", "passes with Content-Transfer-Encoding 7bit: Content-Transfer-Encoding was changed"},
		{"encoding's name, quoted-printable before", strings.Replace(meeting, "8bit", "quoted-printable", 1), meetingNames, "simple/relaxed", replace("Encoding: quoted-printable", "Encoding: 8bit"), 'I',
			"reencoded", "passes with Content-Transfer-Encoding quoted-printable: Content-Transfer-Encoding was changed"},
		{"encoding's name, base64 before", strings.Replace(meeting, "8bit", "base64", 1), meetingNames, "relaxed/relaxed", replace("Encoding: base64", "Encoding: 8bit"), 'I',
			"reencoded", "passes with Content-Transfer-Encoding base64: Content-Transfer-Encoding was changed"},
		{"encoding's name lost", meeting, meetingNames, "simple/relaxed", replace("Content-Transfer-Encoding: 8bit\n", ""), 'I',
			"reencoded", "passes with Content-Transfer-Encoding 8bit: Content-Transfer-Encoding was changed"},
		{"encoding's name added", parts, partNames, "relaxed/relaxed", replace("\n\n", "\nContent-Transfer-Encoding: 8bit\n\n"), 'I',
			"added-field", `passes without the field "Content-Transfer-Encoding": a field was added`},
		{"part encoded", parts, partNames, "relaxed/relaxed", chain(quotedPrintable, replace("Encoding: 8bit", "Encoding: quoted-printable")), 'U',
			"reencoded", "passes with the body decoded: the body was encoded anew"},
		{"part encoded in base64", parts, partNames, "relaxed/relaxed", chain(replace("Gr\xc3\xbc\xc3\x9fe\n", "R3LDvMOf\nZQo=\n"), replace("Encoding: 8bit", "Encoding: base64")), 'U',
			"reencoded", "passes with the body decoded: the body was encoded anew"},
		{"parts encoded, 7bit before", strings.Replace(parts, "8bit", "7bit", 1), partNames, "relaxed/relaxed", chain(quotedPrintable, replace("Encoding: 7bit", "Encoding: quoted-printable")), 'U',
			"reencoded", "passes with the body decoded and called 7bit: the body was encoded anew"},
		{"part encoded beside base64", strings.Replace(parts, "8bit\n\n<p>Gr\xc3\xbc\xc3\x9fe</p>", "base64\n\nPHA+", 1), partNames, "relaxed/relaxed",
			chain(quotedPrintable, replace("Encoding: 8bit", "Encoding: quoted-printable")), 'U',
			"reencoded", "passes with what is quoted-printable decoded: the body was encoded anew"},
		{"part encoded beside quoted-printable", strings.Replace(parts, "8bit\n\nGr\xc3\xbc\xc3\x9fe", "quoted-printable\n\nGr=FC=DFe", 1), partNames, "simple/simple",
			replace("8bit\n\n<p>Gr\xc3\xbc\xc3\x9fe</p>\n", "base64\n\nPHA+R3LDvMOfZTwvcD4K\n"), 'U',
			"reencoded", "passes with what is base64 decoded: the body was encoded anew"},
		{"folding", meeting, meetingNames, "simple/simple", replace(",\n Bob", ",\n\tBob"), 'I',
			"folding", "passes with fields folded with a space: fields were folded anew"},
		{"folded list", strings.Replace(meeting, ",\n Bob", ", Bob", 1), meetingNames, "simple/simple", replace(", Bob", ",\n Bob"), 'I',
			"folding", "passes with unfolded fields: fields were folded anew"},
		{"unfolded list", meeting, meetingNames, "simple/relaxed", replace(",\n Bob", ", Bob"), 'I',
			"folding", `passes with lists folded with a space in "To": fields were folded anew`},
		{"folded list, with a tab", strings.Replace(meeting, ",\n Bob", ", Bob", 1), meetingNames, "simple/simple", replace(", Bob", ",\n\tBob"), 'I',
			"folding", "passes with fields unfolded to single spaces: fields were folded anew"},
		{"folding, a tab before", strings.Replace(meeting, ",\n Bob", ",\n\tBob", 1), meetingNames, "simple/simple", replace(",\n\tBob", ",\n Bob"), 'I',
			"folding", "passes with fields folded with a tab: fields were folded anew"},
		{"unfolded list, a tab before", strings.Replace(meeting, ",\n Bob", ",\n\tBob", 1), meetingNames, "simple/relaxed", replace(",\n\tBob", ", Bob"), 'I',
			"folding", `passes with lists folded with a tab in "To": fields were folded anew`},
		{"folding and tag", meeting, meetingNames, "simple/simple", chain(replace(",\n Bob", ",\n\tBob"), replace("Subject: ", "Subject: [list] ")), 'I',
			"subject-tag+folding", `passes with Subject without "[list] " and with fields folded with a space: a tag was put into the subject, fields were folded anew`},
		{"stray CR", meeting, meetingNames, "relaxed/relaxed", replace("Hi.\n", "Hi.\r\r\n"), 'U',
			"stray-cr", "passes without the CRs that end no line: CRs were added"},
		{"CR for a line end", meeting, meetingNames, "relaxed/relaxed", replace("rest.\n", "rest.\r"), 'U',
			"bare-cr", "passes with each CR as a line end: the signer or a relay took CR for one"},
		{"CR lost", strings.Replace(crlf(meeting), "Hi.\r\n", "Hi.\r\r\n", 1), meetingNames, "simple/simple", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }, 'U',
			"cr-cr-lf", "passes with CR CR LF for CR LF: a CR before each line end was lost"},
		{"whitespace added", meeting, meetingNames, "simple/simple", replace("rest.\n", "rest.  \t\n"), 'U', "", ""},
		{"whitespace added, none before", strings.Replace(meeting, "-- \n", "", 1), meetingNames, "simple/simple", replace("rest.\n", "rest.  \t\n"), 'U',
			"whitespace", "passes without blanks at line ends: blanks were added there"},
		{"whitespace removed", meeting, meetingNames, "relaxed/simple", replace("-- \n", "--\n"), 'U',
			"whitespace", `passes with "-- " for "--": blanks at line ends were removed`},
		{"From escaped", meeting, meetingNames, "relaxed/relaxed", replace("\nFrom now", "\n>From now"), 'U',
			"from-escaped", `passes with "From " for ">From ": lines that begin with From were escaped`},
		{"dots", meeting, meetingNames, "relaxed/relaxed", replace("\n.sig", "\n..sig"), 'U',
			"dots", `passes with "." for ".." where lines begin: dots were doubled`},

		// Nothing known helps.
		{"text", meeting, meetingNames, "relaxed/relaxed", replace("rest", "work"), 'U', "", ""},
		{"text and footer", meeting, meetingNames, "relaxed/relaxed", chain(replace("rest", "work"), addEnd("list\n")), 'U', "", ""},
		{"text and tag", meeting, meetingNames, "relaxed/relaxed", chain(replace("rest", "work"), replace("Subject: ", "Subject: [list] ")), 'U', "", ""},
		{"Date and footer", meeting, meetingNames, "relaxed/relaxed", chain(replace("Date: Thu", "Date: Fri"), addEnd("list\n")), 'U', "", ""},
		{"subject", meeting, meetingNames, "relaxed/relaxed", replace("dinner", "lunch"), 'I', "", ""},
		{"From", meeting, meetingNames, "relaxed/relaxed", replace("Joe <", "Eve <"), 'I', "", ""},
		{"truncated", meeting, meetingNames, "relaxed/relaxed", replace("\nJoe\n", ""), 'U', "", ""},
		{"good to go-msgauth", meeting, meetingNames, "relaxed/relaxed", addEnd("\r\r\n"), 'A', "", ""},
		{"good", meeting, meetingNames, "relaxed/relaxed", addEnd("\n\n"), 'A', "", ""},
	} {
		for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ed25519": edKey} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				msg := test.change(signC(t, test.msg, key, test.c, test.names...))
				s := verdictOf(t, msg, testZone()).Signatures[0]
				if s.Letter != test.letter || s.hint != test.words || s.Hint != test.text {
					t.Errorf("letter %v, hint %q: %s\nwant %v, %q: %s", s.Letter, s.hint, s.Hint, test.letter, test.words, test.text)
				}
			})
		}
	}
}
