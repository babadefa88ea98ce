package qmaildkim

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"ucspi-go/internal/spool"
)

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func TestVerifyMutated(t *testing.T) {
	t.Parallel()
	same := func(s string) string { return s }
	for _, test := range []struct {
		name   string
		change func(string) string
		letter Letter
		result string
	}{
		{"untouched", same, 'A', "pass"},
		{"CRLF", crlf, 'A', "pass"},
		{"no final newline", func(s string) string { return strings.TrimSuffix(s, "\n") }, 'A', "pass"},
		{"more final newlines", func(s string) string { return s + "\n\r\n\n" }, 'A', "pass"},
		{"unsigned field added", func(s string) string { return "Received: x\n" + s }, 'A', "pass"},
		{"blanks before colon", replace("Subject: ", "Subject : "), 'A', "pass"},
		{"body", replace("lost", "won"), 'U', "fail"},
		{"line joined", replace("Hi.\n\n", "Hi.\n"), 'U', "fail"},
		{"NUL in body", replace("lost", "lo\x00st"), 'U', "fail"},
		{"header", replace("dinner", "lunch"), 'I', "fail"},
		{"version", replace("v=1", "v=2"), 'W', "permerror"},
		{"no version", replace(" v=1;", ""), 'W', "permerror"},
		{"expired", replace(" v=1;", " v=1; x=1;"), 'H', "permerror"},
		{"expired since", func(s string) string { return replace(" v=1;", " v=1; x=5;")(dropTime(s)) }, 'K', "permerror"},
		{"length", replace(" v=1;", " v=1; l=3;"), 'E', "policy"},
		{"identity elsewhere", replace(" v=1;", " v=1; i=joe@example.org;"), 'Y', "policy"},
		{"no d=", replace(" d=example.com;", ""), 'H', "permerror"},
		{"tag twice", replace(" v=1;", " v=1; v=1;"), 'H', "permerror"},
		{"no tags", replace(" v=1;", " rubbish;"), 'H', "permerror"},
		{"h= without From", replace("h=From:", "h="), 'H', "permerror"},
		{"unknown c=", replace("c=relaxed/relaxed", "c=nowsp"), 'H', "permerror"},
		{"unknown q=", replace(" v=1;", " v=1; q=finger;"), 'H', "permerror"},
		{"sha1", replace("a=rsa-sha256", "a=rsa-sha1"), 'V', "permerror"},
		{"md5", replace("a=rsa-sha256", "a=rsa-md5"), 'H', "permerror"},
		{"other key type", replace("a=rsa-sha256", "a=ed25519-sha256"), 'V', "permerror"},
		{"no such key", replace("s=rsa", "s=rsb"), 'Q', "permerror"},
		{"no name for a key", replace("s=rsa", "s=r..a"), 'Q', "permerror"},
		{"empty d=", replace("d=example.com", "d="), 'Q', "permerror"},
		{"two From", func(s string) string { return "From: eve@example.net\n" + s }, 'X', "policy"},
		{"two From, old syntax", func(s string) string { return "From : eve@example.net\n" + s }, 'X', "policy"},
		{"bad time", replace(" v=1;", " v=1; x=soon;"), 'H', "permerror"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := sign(t, plain, rsaKey(), dkim.SignOptions{})
			msg := test.change(before)
			if msg == before && test.name != "untouched" {
				t.Fatal("the message did not change")
			}
			v := verdictOf(t, msg, testZone())
			if v.Letter != test.letter || v.Result() != test.result || len(v.Signatures) != 1 {
				t.Errorf("verdict %v %s (%+v), want %v %s", v.Letter, v.Result(), v.Signatures, test.letter, test.result)
			}
		})
	}
}

// dropTime removes the t= tag.
func dropTime(s string) string {
	before, rest, _ := strings.Cut(s, " t=")
	_, after, _ := strings.Cut(rest, ";")
	return before + after
}

func TestVerifyKeyRecord(t *testing.T) {
	t.Parallel()
	_, p, _ := strings.Cut(rsaRecord(), "p=")
	for _, test := range []struct {
		name   string
		texts  []string // nil for no answer
		change func(string) string
		letter Letter
	}{
		{"v= last", []string{"p=" + p + "; v=DKIM1"}, nil, 'A'},
		{"only p=", []string{"p=" + p}, nil, 'A'},
		{"TAB and blanks in p=", []string{"v=DKIM1;\tp=" + p[:9] + "\t" + p[9:30] + " " + p[30:]}, nil, 'A'},
		{"g= of old", []string{"g=other; p=" + p}, nil, 'A'},
		{"none", []string{}, nil, 'Q'},
		{"no answer", nil, nil, 'P'},
		{"two", []string{rsaRecord(), rsaRecord()}, nil, 'L'},
		{"other version", []string{"v=DKIM2; p=" + p}, nil, 'L'},
		{"no p=", []string{"v=DKIM1"}, nil, 'L'},
		{"rubbish", []string{"v=spf1 -all"}, nil, 'L'},
		{"unknown type", []string{"k=dsa; p=" + p}, nil, 'L'},
		{"other service", []string{"s=tlsrpt; p=" + p}, nil, 'L'},
		{"revoked", []string{"v=DKIM1; p="}, nil, 'N'},
		{"garbage key", []string{"p=AAAA"}, nil, 'R'},
		{"no base64", []string{"p=!"}, nil, 'R'},
		{"short key", []string{shortRecord}, nil, 'R'},
		{"only sha1", []string{"h=sha1; p=" + p}, nil, 'V'},
		{"too long", []string{"n=" + strings.Repeat("x", maxKeyRecord) + "; p=" + p}, nil, 'O'},
		{"testing, good", []string{"t=y; p=" + p}, nil, 'A'},
		{"testing, body", []string{"t=s:y; p=" + p}, replace("lost", "won"), 'J'},
		{"testing, header", []string{"t= y ; p=" + p}, replace("dinner", "lunch"), 'J'},
		{"strict, good", []string{"t=s; p=" + p}, nil, 'A'},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			msg := sign(t, plain, rsaKey(), dkim.SignOptions{})
			if test.change != nil {
				msg = test.change(msg)
			}
			v := verdictOf(t, msg, zone{keyOfRSA: test.texts})
			if v.Letter != test.letter {
				t.Errorf("verdict %v (%+v), want %v", v.Letter, v.Signatures, test.letter)
			}
		})
	}
}

// TestVerifyCrafted has valid signatures with tags that go-msgauth does not
// write. D marks what the pinned version gets wrong: when one of these cases
// becomes A, its entry in correct can go.
func TestVerifyCrafted(t *testing.T) {
	t.Parallel()
	strict := zone{keyOfEd: {"t=s; " + edRecord()}}
	for _, test := range []struct {
		name   string
		tags   string
		zone   zone
		letter Letter
	}{
		{"plain", "d=example.com", testZone(), 'A'},
		{"unknown tag", "d=example.com; r=n", testZone(), 'A'},
		{"subdomain in i=", "d=example.com; i=joe@lists.example.com", testZone(), 'A'},
		{"subdomain in i=, strict key", "d=example.com; i=joe@lists.example.com", strict, 'Y'},
		{"own domain in i=, strict key", "d=example.com; i=joe@example.com", strict, 'A'},
		{"x= before t=", "d=example.com; t=4000000001; x=4000000000", testZone(), 'H'},
		{"x= equal to t=", "d=example.com; t=4000000000; x=4000000000", testZone(), 'H'},
		{"x= after t=", "d=example.com; t=4000000000; x=4000000001", testZone(), 'A'},
		{"b= in z=", "d=example.com; z=From:Bob=20Smith", testZone(), 'D'},
		{"b= in i=", "d=example.com; i=bob=2Bx@example.com", testZone(), 'D'},
		{"i= in capitals", "d=example.com; i=joe@Example.COM", testZone(), 'D'},
		{"q=dns", "d=example.com; q=dns", testZone(), 'D'},
		{"whole body by l=", "d=example.com; l=5", testZone(), 'E'},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := verdictOf(t, craft(test.tags), test.zone)
			if v.Letter != test.letter {
				t.Errorf("verdict %v (%+v), want %v", v.Letter, v.Signatures, test.letter)
			}
		})
	}
}

func TestVerifyWithoutBlankLine(t *testing.T) {
	t.Parallel()
	const head = "From: joe@example.com\nSubject: dinner\n"
	signed := sign(t, head+"\n", rsaKey(), dkim.SignOptions{})
	for _, msg := range []string{
		signed,
		strings.TrimSuffix(signed, "\n"),
		strings.TrimSuffix(signed, "\n\n"),
	} {
		if v := verdictOf(t, msg, testZone()); v.Letter != letterGood {
			t.Errorf("verdict %v (%+v) for the ending %q", v.Letter, v.Signatures, msg[len(msg)-9:])
		}
	}
}

func TestVerifySeveral(t *testing.T) {
	t.Parallel()
	good := sign(t, plain, edKey, dkim.SignOptions{})
	field := good[:strings.Index(good, "From: ")]
	bad := strings.Replace(field, "s=ed", "s=none", 1)
	wrong := strings.Replace(field, " v=1;", " v=2;", 1)
	neutral := strings.Replace(field, " v=1;", " v=1; z=Bob=20Smith;", 1)
	for _, test := range []struct {
		name    string
		msg     string
		letter  Letter
		letters string
	}{
		{"none", plain, 'S', ""},
		{"two good", field + good, 'A', "AA"},
		{"bad above good", bad + good, 'C', "QA"},
		{"bad below good", field + bad + plain, 'C', "AQ"},
		{"two bad", wrong + bad + plain, 'W', "WQ"},
		{"two bad, other order", bad + wrong + plain, 'Q', "QW"},
		{"bad above neutral", bad + neutral + plain, 'D', "QD"},
		{"twelve, the last good", strings.Repeat(bad, 11) + good, 'Q', "QQQQQQQQQQ"},
		{"twelve, the tenth good", strings.Repeat(bad, 9) + field + bad + bad + plain, 'C', "QQQQQQQQQA"},
		{"two From", bad + "From: x\n" + good, 'X', "XX"},
		{"two From, none", "From: x\n" + plain, 'S', ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := verdictOf(t, test.msg, testZone())
			if v.Letter != test.letter || letters(v) != test.letters {
				t.Errorf("verdict %v of %s, want %v of %s", v.Letter, letters(v), test.letter, test.letters)
			}
		})
	}
}

func TestVerifyAlignment(t *testing.T) {
	t.Parallel()
	h, s := spoolOf(t, sign(t, plain, rsaKey(), dkim.SignOptions{Domain: "list.example"}))
	for _, test := range []struct {
		author string
		align  bool
		letter Letter
	}{
		{"example.com", false, 'A'},
		{"example.com", true, 'F'},
		{"", true, 'F'},
		{"list.example", true, 'A'},
		{"sub.List.example", true, 'A'},
		{"notlist.example", true, 'F'},
	} {
		c := verifier{lookupTXT: testZone().lookupTXT, align: test.align}
		if v := c.verify(t.Context(), h, s, test.author); v.Letter != test.letter {
			t.Errorf("author %q, align %v: verdict %v, want %v", test.author, test.align, v.Letter, test.letter)
		}
	}
}

func TestVerifyAsksOnceForEachKey(t *testing.T) {
	t.Parallel()
	good := sign(t, plain, rsaKey(), dkim.SignOptions{})
	field := good[:strings.Index(good, "From: ")]
	h, s := spoolOf(t, field+strings.Replace(field, "d=example.com", "d=EXAMPLE.com", 1)+good)
	var (
		mu    sync.Mutex
		asked []string
	)
	c := verifier{lookupTXT: func(ctx context.Context, name string) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, name)
		return testZone().lookupTXT(ctx, name)
	}}
	v := c.verify(t.Context(), h, s, "")
	if len(asked) != 1 || asked[0] != keyOfRSA || letters(v) != "AIA" {
		t.Errorf("asked for %q, letters %s", asked, letters(v))
	}
}

func TestVerifyLookupBudget(t *testing.T) {
	msg := sign(t, plain, edKey, dkim.SignOptions{})
	synctest.Test(t, func(t *testing.T) {
		h, s := spoolOf(t, msg)
		for budget, want := range map[time.Duration]time.Duration{0: lookupBudget, time.Minute: time.Minute} {
			c := verifier{budget: budget, lookupTXT: func(ctx context.Context, _ string) ([]string, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
			start := time.Now()
			v := c.verify(t.Context(), h, s, "")
			if v.Letter != letterTemporary || time.Since(start) != want {
				t.Errorf("verdict %v after %v, want %v after %v", v.Letter, time.Since(start), letterTemporary, want)
			}
		}
	})
}

// TestVerifyUnreadable: trouble with the message itself is not the signer's.
func TestVerifyUnreadable(t *testing.T) {
	t.Parallel()
	h, s := spoolOf(t, sign(t, plain, edKey, dkim.SignOptions{})+strings.Repeat("x\n", spool.MaxMemory))
	s.Close()
	v := verifier{lookupTXT: testZone().lookupTXT}.verify(t.Context(), h, s, "")
	if v.Letter != letterTemporary {
		t.Errorf("verdict %v (%+v)", v.Letter, v.Signatures)
	}
}

func TestVerifyWithoutResolver(t *testing.T) {
	t.Parallel()
	h, s := spoolOf(t, sign(t, plain, edKey, dkim.SignOptions{}))
	if v := (verifier{}).verify(t.Context(), h, s, ""); v.Letter != letterTemporary {
		t.Errorf("verdict %v (%+v)", v.Letter, v.Signatures)
	}
}

func TestVerifyStandards(t *testing.T) {
	t.Parallel()
	keys := zone{
		"brisbane._domainkey.example.com":          {"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"},
		"brisbane._domainkey.football.example.com": {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
		"test._domainkey.football.example.com":     {"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"},
	}
	for name, want := range map[string]string{
		"testdata/rfc6376.msg":                      "A",
		"../testdata/messages/rfc8463.eml":          "AA",
		"../testdata/messages/rfc8463-tampered.eml": "UU",
	} {
		msg, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(msg), crlf(string(msg)), strings.ReplaceAll(string(msg), "\r\n", "\n")} {
			if v := verdictOf(t, text, keys); letters(v) != want {
				t.Errorf("%s: %+v, want %s", name, v.Signatures, want)
			}
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, size := range map[string]int{"2KiB": 2 << 10, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			h, s := spoolOf(b, sign(b, plain+strings.Repeat("The quick brown fox jumps over.\n", size/32), rsaKey(), dkim.SignOptions{}))
			c := verifier{lookupTXT: testZone().lookupTXT, authServID: "mx.example.net"}
			b.SetBytes(s.Size())
			b.ReportAllocs()
			for b.Loop() {
				if v := c.verify(b.Context(), h, s, ""); v.Letter != letterGood {
					b.Fatal(v)
				}
			}
		})
	}
}
