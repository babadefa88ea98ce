package qmaildkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"ucspi-go/internal/spool"
)

// zone answers for keys: texts by name, and trouble where there is none.
type zone map[string][]string

var errServer = errors.New("temporary failure")

func (z zone) lookupTXT(_ context.Context, name string) ([]string, error) {
	texts, known := z[name]
	if known && texts == nil {
		return nil, errServer
	}
	return texts, nil
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return key
})

var edKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func rsaRecord() string {
	der, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		panic(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

func edRecord() string {
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(edKey.Public().(ed25519.PublicKey))
}

const (
	shortRecord = "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMpm+WUb6tXYjuwkzvdzeaYE2rHmhCsQvgkFWtUlIoVgNEKtfi8KUXH/0Ly5kXqm+SMBDt67YE+eMxiu6qT3FZUCAwEAAQ=="
	keyOfRSA    = "rsa._domainkey.example.com"
	keyOfEd     = "ed._domainkey.example.com"
	keyOfList   = "rsa._domainkey.list.example"
	plain       = "From: joe@example.com\nTo: sue@example.org\nSubject: dinner\n\nHi.\n\nWe lost.\n"
)

func testZone() zone {
	return zone{keyOfRSA: {rsaRecord()}, keyOfEd: {edRecord()}, keyOfList: {rsaRecord()}}
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// sign puts a signature by go-msgauth on top of a message with LF line ends.
func sign(t testing.TB, msg string, key crypto.Signer, o dkim.SignOptions) string {
	t.Helper()
	o.Signer = key
	if o.Domain == "" {
		o.Domain = "example.com"
	}
	o.Selector = "rsa"
	if _, ok := key.(ed25519.PrivateKey); ok {
		o.Selector = "ed"
	}
	o.HeaderKeys = []string{"From", "To", "Subject"}
	o.HeaderCanonicalization, o.BodyCanonicalization = dkim.CanonicalizationRelaxed, dkim.CanonicalizationRelaxed
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(crlf(msg)), &o); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

// craft signs a small message by hand, with any tags: RFC 6376 for fields that
// are canonical as they stand.
func craft(tags string) string { return craftAs("ed", tags) }

// craftAs is craft with a selector.
func craftAs(selector, tags string) string {
	return craftField(selector, "from:subject", "from:joe@example.com\r\nsubject:dinner\r\n", tags)
}

// craftOver is craft with another header list, and the canonical fields of it.
func craftOver(list, fields, tags string) string { return craftField("ed", list, fields, tags) }

func craftField(selector, list, fields, tags string) string {
	const body = "Hi.\r\n"
	bh := sha256.Sum256([]byte(body))
	field := "v=1; a=ed25519-sha256; c=relaxed/relaxed; s=" + selector + "; h=" + list + "; bh=" +
		base64.StdEncoding.EncodeToString(bh[:]) + "; " + tags + "; b="
	hash := sha256.Sum256([]byte(fields + "dkim-signature:" + field))
	return "DKIM-Signature: " + field + base64.StdEncoding.EncodeToString(ed25519.Sign(edKey, hash[:])) +
		"\nFrom: joe@example.com\nSubject: dinner\n\nHi.\n"
}

func spoolOf(t testing.TB, msg string) (*header, *spool.Spool) {
	t.Helper()
	s := new(spool.Spool)
	t.Cleanup(func() { s.Close() })
	if _, err := s.Write([]byte(msg)); err != nil {
		t.Fatal(err)
	}
	head := new(spool.Spool)
	defer head.Close()
	h, _, err := readHeader(strings.NewReader(msg), head)
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

func verdictOf(t testing.TB, msg string, z zone) Verdict {
	t.Helper()
	h, s := spoolOf(t, msg)
	return verifier{lookupTXT: z.lookupTXT, authServID: "mx.example.net"}.verify(t.Context(), h, s, "")
}

func letters(v Verdict) string {
	var b strings.Builder
	for _, s := range v.Signatures {
		b.WriteString(s.Letter.String())
	}
	return b.String()
}
