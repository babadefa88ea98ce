package qmaildkim

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/rules"

	"github.com/emersion/go-msgauth/dkim"
)

// keyPEM returns a private key of the tests as a key file holds it.
func keyPEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// newHome makes a qmail home with files, whose folders are made too.
func newHome(t testing.TB, files map[string]string) string {
	t.Helper()
	home := t.TempDir()
	for name, text := range files {
		name = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// keyHome is a home with keys for example.com and idn: RSA as rsa and, for the
// first, default, Ed25519 as ed.
func keyHome(t testing.TB) string {
	return newHome(t, map[string]string{
		"control/domainkeys/example.com/rsa":     keyPEM(t, rsaKey()),
		"control/domainkeys/example.com/ed":      keyPEM(t, edKey),
		"control/domainkeys/example.com/default": keyPEM(t, rsaKey()),
		"control/domainkeys/" + idn + "/rsa":     keyPEM(t, rsaKey()),
		"control/domainkeys/" + idn + "/ed":      keyPEM(t, edKey),
	})
}

// process runs a message through the filter that environ configures, with the
// recipients of the envelope.
func process(t testing.TB, environ rules.Environ, msg string, rcpts ...string) (string, Report, error) {
	t.Helper()
	c, err := ConfigFrom(environ)
	if err != nil {
		return "", Report{}, err
	}
	f := &Filter{
		Config:     c,
		LookupTXT:  signedZone().lookupTXT,
		Recipients: func() ([]string, error) { return rcpts, nil },
	}
	var b bytes.Buffer
	report, err := f.Process(t.Context(), &b, strings.NewReader(msg))
	return b.String(), report, err
}

func signedZone() zone {
	z := testZone()
	z["default._domainkey.example.com"] = []string{rsaRecord()}
	z["rsa._domainkey."+idn] = []string{rsaRecord()}
	z["ed._domainkey."+idn] = []string{edRecord()}
	z["one._domainkey.example.com"] = []string{rsaRecord()}
	z["default._domainkey.other.example"] = []string{rsaRecord()}
	z["default-ed25519._domainkey.example.com"] = []string{edRecord()}
	return z
}

// good has go-msgauth verify a message as it travels, in CRLF and with a last
// line end, and fails the test unless the topmost n signatures are good.
func good(t testing.TB, msg string, n int) {
	t.Helper()
	msg = crlf(msg)
	if !strings.HasSuffix(msg, "\r\n") {
		msg += "\r\n"
	}
	if !strings.Contains(msg, "\r\n\r\n") {
		msg += "\r\n"
	}
	z := signedZone()
	results, err := dkim.VerifyWithOptions(strings.NewReader(msg), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return z.lookupTXT(t.Context(), name) },
	})
	if err != nil || len(results) < n {
		t.Fatalf("%d signatures, %v; want %d", len(results), err, n)
	}
	for _, v := range results[:n] {
		if v.Err != nil {
			t.Errorf("d=%s: %v", v.Domain, v.Err)
		}
	}
}
