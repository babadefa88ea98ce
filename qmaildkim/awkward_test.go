package qmaildkim

import (
	"fmt"
	"strings"
)

// A mail is a test message; its name says what is special.
type mail struct{ name, text string }

// domain returns the signing domain of a mail.
func (m mail) domain() string {
	if strings.HasPrefix(m.name, "idn-") {
		return idn
	}
	return "example.com"
}

// awkwardHeaders are headers, with the blank line, that canonicalizers and
// parsers have been seen to get wrong.
var awkwardHeaders = []mail{
	{"plain", "From: joe@example.com\nTo: sue@example.org\nSubject: dinner\n\n"},
	{"trace", "Received: from a\n  by b; 1 Jan 2026 00:00:00 -0000\nReturn-Path: <x@example.com>\nX-Mailer: m\nFrom: joe@example.com\n\n"},
	{"folded", "From: Joe\n <joe@example.com>\nSubject: one\n two\n\tthree \n  four\n\n"},
	{"blank-fold", "From: joe@example.com\nSubject: a\n \n\t \n b\n\n"},
	{"empty-values", "From: joe@example.com\nSubject:\nTo: \nCc:\t\n\n"},
	{"fold-first", "From:\n joe@example.com\nSubject:\n\tx\n\n"},
	{"blank-before-colon", "From : joe@example.com\nSubject \t: x\n\n"},
	{"no-blank-after-colon", "From:joe@example.com\nSubject:x\nTo:y@example.org\n\n"},
	{"inner-blanks", "From:  \t joe@example.com \t \nSubject: a  b\t\tc   \n\n"},
	{"case", "FROM: joe@example.com\nsUBJECT: x\nmessage-id: <1@example.com>\nmime-version: 1.0\n\n"},
	{"repeated", "From: joe@example.com\nComments: 1\nTo: a@example.org\nTo: b@example.org\nTo: c@example.org\nReferences: <1>\nReferences: <2>\n\n"},
	{"colons", "From: joe@example.com\nSubject: a: b: c:\nDate: Mon, 1 Jan 2026 00:00:00 +0000\n\n"},
	{"eight-bit", "From: \"J\xc3\xb6\" <joe@example.com>\nSubject: gr\xfc\xdfe \xff\n\n"},
	{"list", "From: joe@example.com\nList-Id: <l.example.com>\nList-Unsubscribe: <mailto:u@example.com>,\n <https://example.com/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\nList-Post: NO\nSender: l@example.com\n\n"},
	{"signed-before", "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=from;\n bh=AAAA; b=AAAA\nFrom: joe@example.com\nSubject: x\n\n"},
	{"mime", "From: joe@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=\"b\"\nContent-Transfer-Encoding: 8bit\nContent-ID: <1>\nContent-Description: d\n\n"},
	{"long", "From: joe@example.com\nSubject: " + strings.Repeat("long ", 2000) + "\nReferences:" + strings.Repeat("\n <12345678901234567890@example.com>", 300) + "\n\n"},
	{"resent", "Resent-From: r@example.org\nResent-To: s@example.org\nResent-Date: x\nFrom: joe@example.com\nIn-Reply-To: <1@x>\n\n"},
}

// idn is the A-label of the domain bücher.example.
const idn = "xn--bcher-kva.example"

// internationalHeaders have internationalized addresses (RFC 6532) and domains
// (RFC 5890). Where the name begins with idn the author's domain is idn, else
// example.com.
var internationalHeaders = []mail{
	{"eai-local-part", "From: Jörg <jörg@example.com>\nTo: 杜@例え.テスト\nSubject: 夕食  grüße\n\n"},
	{"eai-quoted", "From: \"jörg müller\"@example.com\nSubject: مرحبا\n\tשלום\n\n"},
	{"eai-name", "From: \"夕食, テスト\" (café)\n <joe@example.com>\nReply-To: été@example.com\n\n"},
	{"idn-u-label", "From: joe@bücher.example\nSubject: dinner\n\n"},
	{"idn-capitals", "From: Joe <joe@BÜCHER.Example>\nTo: sue@bücher.example\nSubject: dinner\n\n"},
	{"idn-decomposed", "From: joe@bücher.example\nSubject: ü\n\n"},
	{"idn-a-label", "From: joe@XN--bcher-kva.example\nSubject: dinner\n\n"},
	{"idn-eai", "From: Jörg <jörg@bücher.example>\nTo: 杜@例え.テスト\nSubject: 夕食\n مرحبا\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"},
}

// awkwardBodies are bodies of that kind.
var awkwardBodies = []mail{
	{"text", "Hi.\n\nWe lost.\n"},
	{"empty", ""},
	{"one-line-end", "\n"},
	{"line-ends", "\n\n\n\n"},
	{"leading", "\n\n\nx\n"},
	{"trailing", "x\n\n\n\n"},
	{"no-end", "Hi.\nlast line"},
	{"trailing-blanks", "a \nb\t\nc \t \n"},
	{"blank-lines-of-blanks", "a\n \n\t\n  \nb\n"},
	{"blanks-at-end", "a\n \n\t\n \n"},
	{"only-blanks", " \n\t\n"},
	{"inner-blanks", "a  b\t\tc \t d\n \te\n"},
	{"dots", ".\n..\n.x\n"},
	{"nul", "a\x00b\n\x00\n"},
	{"eight-bit", "\xff\xfe gr\xc3\xbc\xdfe\n"},
	{"long-line", strings.Repeat("x", 100000) + "\n"},
	{"many-lines", strings.Repeat("0123456789 abcdef \n", 5000)},
	{"blank-run", "a\n" + strings.Repeat("\n", 5000) + "b\n"},
	{"blank-run-at-end", "a\n" + strings.Repeat("\n", 70000)},
	{"like-header", "From: x\nSubject: y\n\nz\n"},
}

// awkwardMails are each header with each body, every third with CRLF line
// ends, and bodies whose line ends fall on the edges of buffers.
func awkwardMails() []mail {
	all := mails(awkwardHeaders)
	h := crlf(awkwardHeaders[0].text)
	for _, edge := range []int{4096, 8192, 8192 - len(h), 32768, 40960 - len(h), 65536} {
		for d := -3; d <= 3; d++ {
			line := strings.Repeat("e", edge+d)
			all = append(all, mail{fmt.Sprintf("edge/%d%+d", edge, d), h + line + "\r\n\r\n" + line + "\r\n \r\nend\r\n\r\n"})
		}
	}
	return all
}

// internationalMails are the international headers with each body.
func internationalMails() []mail { return mails(internationalHeaders) }

func mails(headers []mail) []mail {
	var all []mail
	for i, h := range headers {
		for j, b := range awkwardBodies {
			m := mail{h.name + "/" + b.name, h.text + b.text}
			if (i+j)%3 == 0 {
				m = mail{m.name + "/crlf", crlf(m.text)}
			}
			all = append(all, m)
		}
		all = append(all, mail{h.name + "/no-blank-line", strings.TrimSuffix(h.text, "\n")})
		all = append(all, mail{h.name + "/no-line-end", strings.TrimSuffix(h.text, "\n\n")})
	}
	return all
}
