package qmaildkim

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

func TestParseKeyRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want keyRecord
	}{
		{"v=DKIM1; t=y; p=AAAA", keyRecord{testing: true}},
		{"t=s", keyRecord{strict: true}},
		{"t=\ty : s ;p=", keyRecord{testing: true, strict: true}},
		{"t=yes:S", keyRecord{}},
		{"n=t=y; p=AAAA", keyRecord{}},
		{"T=y", keyRecord{}},
		{"", keyRecord{}},
		{"t", keyRecord{}},
	} {
		if got := parseKeyRecord(test.text); got != test.want {
			t.Errorf("parseKeyRecord(%q) = %+v, want %+v", test.text, got, test.want)
		}
	}
}

func TestKeyName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		selector, domain, name string
		ok                     bool
	}{
		{"Default", "Example.COM", "default._domainkey.example.com", true},
		{"a.b", "x_y.example", "a.b._domainkey.x_y.example", true},
		{"s", "bücher.example", "s._domainkey.xn--bcher-kva.example", true},
		{"s", "", "s._domainkey.", false},
		{"", "example.com", "._domainkey.example.com", false},
		{"s", "example.com.", "s._domainkey.example.com.", false},
		{"s\x00", "example.com", "s\x00._domainkey.example.com", false},
		{"s", "\xff.example", "s._domainkey.\xff.example", false},
		{strings.Repeat("s", 64), "example.com", strings.Repeat("s", 64) + "._domainkey.example.com", false},
		{"s", strings.Repeat("long.", 60) + "example", "s._domainkey." + strings.Repeat("long.", 60) + "example", false},
	} {
		name := keyName(test.selector, test.domain)
		if ok := isDomainName(name); name != test.name && name != strings.ToLower(test.name) || ok != test.ok {
			t.Errorf("keyName(%q, %q) = %q, a name: %v", test.selector, test.domain, name, ok)
		}
	}
}

func TestKeyringErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err       error
		temporary bool
	}{
		{errors.New("connection closed"), true},
		{&net.DNSError{Err: "server misbehaving"}, true},
		{context.DeadlineExceeded, true},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, false},
	} {
		keys := &keyring{ctx: t.Context(), keys: make(map[string]*publishedKey),
			lookup: func(context.Context, string) ([]string, error) { return nil, test.err }}
		texts, err := keys.lookupTXT("s._domainkey.example.com")
		var e net.Error
		if temporary := errors.As(err, &e) && e.Timeout() || err != nil && isTemporary(err); temporary != test.temporary || texts != nil {
			t.Errorf("%v becomes %v, want temporary %v", test.err, err, test.temporary)
		}
	}
}

// isTemporary asks as go-msgauth does, whether it is a net.Error.
func isTemporary(err error) bool {
	e, ok := err.(interface {
		Timeout() bool
		Temporary() bool
	})
	return ok && e.Temporary()
}

// FuzzKeyRecord has any text stand for a key. A good signature is one of the
// key that is in it, and blanks in the text make no difference to its flags.
func FuzzKeyRecord(f *testing.F) {
	f.Add("v=DKIM1; k=rsa; t=y:s; p=AAAA")
	f.Add("p=\t; t= s")
	f.Add(edRecord())
	f.Add(rsaRecord())
	_, key, _ := strings.Cut(edRecord(), "p=")
	msg := craft("d=example.com; i=joe@lists.example.com")
	f.Fuzz(func(t *testing.T, text string) {
		got := parseKeyRecord(text)
		if clean := parseKeyRecord(recordBlanks.Replace(text)); clean != got {
			t.Errorf("%q is %+v with blanks, %+v without", text, got, clean)
		}
		tags, ok := parseTags(text)
		if _, set := tags["t"]; !set && got != (keyRecord{}) {
			t.Errorf("%q has no t= and is %+v", text, got)
		}
		if _, more := parseTags(text + ";zz=1"); ok && !more && !strings.Contains(text, "zz") {
			t.Errorf("%q cannot have one more tag", text)
		}
		v := verdictOf(t, msg, zone{keyOfEd: {text}})
		if _, known := outcomes[v.Letter]; !known || v.Letter == letterNeutral {
			t.Errorf("%q: verdict %v (%+v)", text, v.Letter, v.Signatures)
		}
		if v.Letter == letterGood && (got.strict || stripSpace(tags["p"]) != key) {
			t.Errorf("%q makes a good signature", text)
		}
		checkFields(t, v)
	})
}
