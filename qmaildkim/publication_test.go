package qmaildkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"strings"
	"testing"

	"ucspi-go/qmaildkim/keys"
)

func TestPublished(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048) // whose record has two strings
	if err != nil {
		t.Fatal(err)
	}
	public, other := key.Public(), edKey.Public()
	record, err := keys.Record(public, false)
	if err != nil {
		t.Fatal(err)
	}
	ed := edRecord()
	head, p, _ := strings.Cut(record, "p=")
	for _, tt := range []struct {
		name    string
		public  crypto.PublicKey
		texts   []string
		err     error
		state   string
		reason  string
		testing bool
	}{
		{"same", public, []string{record}, nil, PublishedMatch, "", false},
		{"Ed25519", other, []string{ed}, nil, PublishedMatch, "", false},
		{"no v=", public, []string{"p=" + p}, nil, PublishedMatch, "", false},
		{"blanks in p=", public, []string{head + "p=" + p[:9] + " \t" + p[9:]}, nil, PublishedMatch, "", false},
		{"testing", public, []string{"t=y:s; " + record}, nil, PublishedMatch, "", true},
		{"email only", public, []string{"s=email; h=sha1:sha256; " + record}, nil, PublishedMatch, "", false},
		{"no record", public, nil, nil, PublishedMissing, "", false},
		{"no name", public, nil, &net.DNSError{Err: "no such host", IsNotFound: true}, PublishedMissing, "", false},
		{"trouble", public, nil, errors.New("dns: timed out"), PublishedTemporary, "dns: timed out", false},
		{"revoked", public, []string{"v=DKIM1; k=rsa; p="}, nil, PublishedRevoked, "", false},
		{"another key", public, []string{strings.Replace(record, "k=rsa", "k=ed25519", 1)}, nil, PublishedDiffers, "no rsa key can be read from it", false},
		{"key of the other kind", other, []string{record}, nil, PublishedDiffers, "no ed25519 key can be read from it", false},
		{"another Ed25519 key", ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32))).Public(), []string{ed}, nil, PublishedDiffers, "another key", false},
		{"strings as records", public, []string{record[:255], record[255:]}, nil, PublishedDiffers, "split wrongly: its strings are records of their own", false},
		{"two records", public, []string{record, ed}, nil, PublishedDiffers, "several records at one name", false},
		{"quotes", public, []string{record[:255] + `" "` + record[255:]}, nil, PublishedDiffers, "split wrongly: quotes or backslashes are part of the text", false},
		{"cut", public, []string{record[:255]}, nil, PublishedDiffers, "split wrongly: only the first part of the key is there", false},
		{"no tags", public, []string{"hello"}, nil, PublishedDiffers, "not a list of tags", false},
		{"no p=", public, []string{"v=DKIM1; k=rsa"}, nil, PublishedDiffers, "no p=", false},
		{"SPF", public, []string{"v=spf1; p=x"}, nil, PublishedDiffers, "v= is not DKIM1", false},
		{"too long", public, []string{record + "; n=" + strings.Repeat("x", 5000)}, nil, PublishedDiffers, "longer than verifiers read", false},
		{"SHA-1 only", public, []string{"h=sha1; " + record}, nil, PublishedDiffers, "h= does not allow sha256", false},
		{"other service", public, []string{"s=tlsrpt; " + record}, nil, PublishedDiffers, "s= does not allow email", false},
	} {
		got := Published(tt.public, tt.texts, tt.err)
		if got.State != tt.state || got.Reason != tt.reason || got.Testing != tt.testing {
			t.Errorf("%s: %+v; want %s, %q", tt.name, got, tt.state, tt.reason)
		}
		if got.State == PublishedMatch && got.Bits == 0 {
			t.Errorf("%s: no size of the key", tt.name)
		}
	}
}
