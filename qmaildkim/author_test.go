package qmaildkim_test

import (
	"strings"
	"testing"
	"time"

	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
)

func TestAuthorDomain(t *testing.T) {
	t.Parallel()
	const ex = "example.com"
	tests := []struct{ name, from, domain, reason string }{
		// RFC 5322 section 3.4 and appendix A.
		{"bare", " joe@example.com\n", ex, ""},
		{"no blank", "joe@example.com", ex, ""},
		{"angle", " Joe <joe@example.com>\n", ex, ""},
		{"angle alone", "<joe@example.com>", ex, ""},
		{"no blank before angle", "Joe<joe@example.com>", ex, ""},
		{"blanks inside angle", "Joe < joe@example.com >", ex, ""},
		{"quoted name", `"Joe Q. Public" <joe@example.com>`, ex, ""},
		{"dots in name", "Joe Q. Public <joe@example.com>", ex, ""},
		{"folded", " Joe Q. Public\n\t<joe@example.com>\n", ex, ""},
		{"folded with CRLF", " Joe\r\n <joe@example.com>\r\n", ex, ""},
		{"upper case", "Joe@EXAMPLE.Com", ex, ""},
		{"trailing dot", "joe@example.com.", ex, ""},
		{"subdomain", "j@sub.example.com", "sub.example.com", ""},
		{"underscore and hyphens", "j@_a.b--c.example.com", "_a.b--c.example.com", ""},
		{"one label", "root@localhost", "localhost", ""},
		{"tag", "joe+tag=x@example.com", ex, ""},

		// Quotes and comments that look like addresses.
		{"< in quotes", `"<x@evil.example>" <joe@example.com>`, ex, ""},
		{"@ in quotes", `"x@evil.example" <joe@example.com>`, ex, ""},
		{"quoted local part", `"a@b"@example.com`, ex, ""},
		{"quoted local part in angle", `Joe <"a>b@evil.example"@example.com>`, ex, ""},
		{"escaped quote", `"Joe \"<x@evil.example>\"" <joe@example.com>`, ex, ""},
		{"escaped backslash", `"Joe \\" <joe@example.com>`, ex, ""},
		{"comma in quotes", `"Public, Joe" <joe@example.com>`, ex, ""},
		{"comment after", "joe@example.com (Joe)", ex, ""},
		{"comment before", "(Joe) joe@example.com", ex, ""},
		{"comment with address", "(x@evil.example) joe@example.com", ex, ""},
		{"comment with angle", "Joe (<x@evil.example>) <joe@example.com>", ex, ""},
		{"nested comments", `a(b(c\)(d)e)f) <joe@example.com>`, ex, ""},
		{"comments everywhere", "(a)Joe(b)<(c)joe(d)@(e)example(f).(g)com(h)>(i)", ex, ""},
		{"parentheses in name", "Joe (Sales) <joe@example.com>", ex, ""},
		{"folded comment", "joe@example.com (Joe\n Public)", ex, ""},
		{"quote in comment", `joe@example.com (5" disk)`, ex, ""},
		{"comment in quotes", `"Joe (" <joe@example.com>`, ex, ""},

		// Obsolete forms, RFC 5322 section 4.4.
		{"route", "<@a.example,@b.example:joe@example.com>", ex, ""},
		{"route with blanks", "Joe <@a.example , , @b.example : joe@example.com>", ex, ""},
		{"blanks around dots", "joe . public @ example . com", ex, ""},
		{"quoted words in local part", `joe."q.p".public@example.com`, ex, ""},
		{"empty members", ",,joe@example.com, ,", ex, ""},
		{"group of one", "Staff: joe@example.com;", ex, ""},
		{"group with names", `"The Staff": Joe <joe@example.com>, Jane <jane@example.com>;`, ex, ""},
		{"groups beside authors", "a: joe@example.com;, jane@example.com, b:;", ex, ""},

		// Several authors.
		{"same domain", "a@example.com, B <b@Example.COM>", ex, ""},
		{"two domains", "a@example.com, b@other.example", "", "several-authors"},
		{"two domains in a group", "g: a@example.com, b@other.example;", "", "several-authors"},
		{"subdomain is another", "a@example.com, b@sub.example.com", "", "several-authors"},
		{"second is a literal", "a@example.com, b@[192.0.2.1]", "", "bad-domain"},

		// Beyond ASCII.
		{"encoded word", "=?iso-2022-jp?B?GyRCO0VAJBsoQg==?= <joe@example.com>", ex, ""},
		{"encoded word with @", "=?utf-8?Q?x@evil.example?= <joe@example.com>", ex, ""},
		{"UTF-8 name", "東京 太郎 <joe@example.com>", ex, ""},
		{"Latin-1 name", "J\xf6rg <joe@example.com>", ex, ""},
		{"UTF-8 local part", "jörg@example.com", ex, ""},
		{"UTF-8 domain", "joe@Bücher.example", "xn--bcher-kva.example", ""},
		{"A-label", "joe@XN--bcher-kva.example", "xn--bcher-kva.example", ""},
		{"sharp s", "joe@straße.example", "xn--strae-oqa.example", ""},
		{"ideographic dots", "joe@大学。例え。テスト", "xn--pss25c.xn--r8jz45g.xn--zckzah", ""},
		{"fullwidth", "joe@ｅｘａｍｐｌｅ．ｃｏｍ", ex, ""},
		{"A-label and UTF-8 are one", "a@bücher.example, b@xn--bcher-kva.example", "xn--bcher-kva.example", ""},
		{"not UTF-8", "joe@b\xfccher.example", "", "bad-domain"},
		{"fullwidth slash", "joe@a／b.example", "", "bad-domain"},
		{"account of", "joe@℀.example", "", "bad-domain"},
		{"UTF-8 beyond a label", "joe@" + strings.Repeat("ü", 60) + ".example", "", "bad-domain"},

		// Not RFC 5322, but written.
		{"dots together", "joe..public.@example.com", ex, ""},
		{"leading dot", ".joe@example.com", ex, ""},
		{"address as name", "joe@example.com <joe@example.com>", ex, ""},
		{"other address as name", "x@evil.example <joe@example.com>", ex, ""},
		{"brackets in name", "[Tracker] Joe <joe@example.com>", ex, ""},

		// No address.
		{"empty", "", "", "bad-from"},
		{"blank", " \n", "", "bad-from"},
		{"comment only", "(joe@example.com)", "", "bad-from"},
		{"empty angle", "<>", "", "bad-from"},
		{"name and empty angle", "Mailer <>", "", "bad-from"},
		{"no @", "joe", "", "bad-from"},
		{"name only", "Joe Public", "", "bad-from"},
		{"no local part", "@example.com", "", "bad-from"},
		{"no domain", "joe@", "", "bad-from"},
		{"no domain in angle", "<joe@>", "", "bad-from"},
		{"empty group", "undisclosed-recipients:;", "", "bad-from"},
		{"commas", ",,,", "", "bad-from"},
		{"name before comma", "Public, Joe <joe@example.com>", "", "bad-from"},
		{"route only", "<@a.example:>", "", "bad-from"},

		// Bad syntax.
		{"open angle", "Joe <joe@example.com", "", "bad-from"},
		{"stray angle", "joe@example.com>", "", "bad-from"},
		{"open quote", `"Joe <joe@example.com>`, "", "bad-from"},
		{"open comment", "joe@example.com (Joe", "", "bad-from"},
		{"escaped end of comment", `joe@example.com (Joe\)`, "", "bad-from"},
		{"backslash at the end", `"joe\`, "", "bad-from"},
		{"stray parenthesis", "joe@example.com )", "", "bad-from"},
		{"words after angle", "<joe@example.com> Joe", "", "bad-from"},
		{"two angles", "<joe@example.com> <x@evil.example>", "", "bad-from"},
		{"angle in angle", "<<joe@example.com>>", "", "bad-from"},
		{"two words before @", "joe public@example.com", "", "bad-from"},
		{"two words after @", "joe@example com", "", "bad-from"},
		{"two @", "joe@example.com@evil.example", "", "bad-from"},
		{"percent hack", "joe%other@example.com", ex, ""},
		{"open group", "Staff: joe@example.com", "", "bad-from"},
		{"group in group", "a: b: joe@example.com;;", "", "bad-from"},
		{"group in open group", "a: b: joe@example.com;", "", "bad-from"},
		{"nameless group", ": joe@example.com;", "", "bad-from"},
		{"stray semicolon", "joe@example.com;", "", "bad-from"},
		{"words after group", "a: joe@example.com; b", "", "bad-from"},
		{"NUL", "joe\x00@example.com", "", "bad-from"},
		{"NUL in domain", "joe@example\x00.com", "", "bad-from"},
		{"control in domain", "joe@example.com\x7f", "", "bad-from"},
		{"second member bad", "joe@example.com, x@@y", "", "bad-from"},

		// Not a DNS name.
		{"literal", "joe@[192.0.2.1]", "", "bad-domain"},
		{"literal in angle", "Joe <joe@[IPv6:2001:db8::1]>", "", "bad-domain"},
		{"address without brackets", "joe@192.0.2.1", "", "bad-domain"},
		{"path", "j@example.com/../example.com", "", "bad-domain"},
		{"parent", "j@..", "", "bad-domain"},
		{"dot", "j@.", "", "bad-domain"},
		{"domain with leading dot", "j@.example.com", "", "bad-domain"},
		{"empty label", "j@example..com", "", "bad-domain"},
		{"two trailing dots", "j@example.com..", "", "bad-domain"},
		{"percent", "j@%", "", "bad-domain"},
		{"quoted domain", `j@"example.com"`, "", "bad-domain"},
		{"long label", "j@" + strings.Repeat("a", 64) + ".example", "", "bad-domain"},
		{"longest label", "j@" + strings.Repeat("a", 63) + ".example", strings.Repeat("a", 63) + ".example", ""},
		{"longest name", "j@" + strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 126) + "a", ""},
		{"long name", "j@" + strings.Repeat("a.", 126) + "aa", "", "bad-domain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			domain, reason := qmaildkim.AuthorDomain([]string{tt.from})
			if domain != tt.domain || reason != tt.reason {
				t.Errorf("AuthorDomain(%q) = %q, %q, want %q, %q", tt.from, domain, reason, tt.domain, tt.reason)
			}
		})
	}
}

func TestAuthorDomainCountsFields(t *testing.T) {
	t.Parallel()
	if d, reason := qmaildkim.AuthorDomain(nil); d != "" || reason != qmaildkim.NoFrom {
		t.Errorf("without From = %q, %q", d, reason)
	}
	if d, reason := qmaildkim.AuthorDomain([]string{"a@example.com", "a@example.com"}); d != "" || reason != qmaildkim.SeveralFrom {
		t.Errorf("with two From = %q, %q", d, reason)
	}
}

// A stranger's From takes time in proportion to its size: 1 MiB of the worst
// kinds must not take seconds, as anything quadratic would.
func TestAuthorDomainOfHostileFieldIsLinear(t *testing.T) {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	tests := map[string]string{
		"open comments":   fill("("),
		"nested comments": strings.Repeat("(", size/2) + strings.Repeat(")", size/2) + "joe@example.com",
		"comments":        "joe@" + fill("(a)") + "example.com",
		"quotes":          fill(`"`),
		"escapes":         `"` + fill(`\`),
		"addresses":       fill("a@b,"),
		"two domains":     fill("a@b,a@c,"),
		"UTF-8 domains":   fill("a@ü,a@ö,"),
		"UTF-8 label":     "a@" + fill("ü"),
		"labels":          "a@" + fill("a."),
		"local part":      fill("a.") + "a@example.com",
		"words":           fill("a "),
		"route":           "<" + fill("@a,") + ":joe@example.com>",
		"groups":          fill("a:b@c;,"),
		"open groups":     fill("a:"),
		"angles":          fill("<"),
		"blanks":          fill(" "),
	}
	for name, from := range tests {
		start := time.Now()
		domain, _ := qmaildkim.AuthorDomain([]string{from})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %d bytes took %v (domain %q)", name, len(from), took, domain)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}

func FuzzAuthorDomain(f *testing.F) {
	f.Add("Joe (Sales) <@a,@b:\"x@y\".joe@Bücher.example.>\n")
	f.Add("g: a@b.c, (x(y)\\)) <d@e.f>;, h@[1.2.3.4]")
	f.Fuzz(func(t *testing.T, from string) {
		domain, reason := qmaildkim.AuthorDomain([]string{from})
		if (domain == "") == (reason == "") {
			t.Fatalf("AuthorDomain(%q) = %q, %q, want exactly one", from, domain, reason)
		}
		if domain == "" {
			return
		}
		if d, ok := keys.Domain(domain); !ok || d != domain || strings.ContainsAny(domain, "/\x00% ") || domain[0] == '.' {
			t.Fatalf("AuthorDomain(%q) = %q, which is no DNS name", from, domain)
		}
		// The domain alone gives the same answer.
		if again, _ := qmaildkim.AuthorDomain([]string{"joe@" + domain}); again != domain {
			t.Fatalf("domain %q gives %q", domain, again)
		}
	})
}

func BenchmarkAuthorDomain(b *testing.B) {
	for name, from := range map[string]string{"ASCII": `"Joe Q. Public" <joe@example.com>`, "IDN": "Joe <joe@bücher.example>"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				qmaildkim.AuthorDomain([]string{from})
			}
		})
	}
}
