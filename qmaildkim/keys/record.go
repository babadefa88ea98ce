package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
)

// Record returns the text of the TXT record that publishes a public key,
// RFC 6376 section 3.6.1 and RFC 8463 section 4: "v=DKIM1; k=rsa; p=...".
// Testing adds t=y, which asks verifiers to ignore failures.
func Record(public crypto.PublicKey, testing bool) (string, error) {
	var kind string
	var data []byte
	switch public := public.(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return "", err
		}
		kind, data = "rsa", der
	case ed25519.PublicKey:
		kind, data = "ed25519", public
	default:
		return "", errors.New("keys: neither an RSA nor an Ed25519 key")
	}
	text := "v=DKIM1; k=" + kind
	if testing {
		text += "; t=y"
	}
	return text + "; p=" + base64.StdEncoding.EncodeToString(data), nil
}

// RecordName returns the name under which a key is published, with no dot at
// its end. Ok is false when that is too long for the DNS.
func RecordName(selector, domain string) (name string, ok bool) {
	name = selector + "._domainkey." + domain
	return name, labels(name)
}

// ZoneLine returns the line of a zone file that publishes text at name, as
// BIND reads it: NAME. IN TXT ("..." "..."), in strings of at most 255 bytes.
func ZoneLine(name, text string) string { return name + ". IN TXT (" + Quoted(text) + ")" }

// Quoted returns text as the strings of a TXT record, "..." "...", each of at
// most 255 bytes (RFC 1035 section 3.3). The text of Record has nothing in it
// that needs more than the quotes.
func Quoted(text string) string {
	const most = 255
	var b strings.Builder
	b.WriteByte('"')
	for len(text) > most {
		b.WriteString(text[:most] + `" "`)
		text = text[most:]
	}
	b.WriteString(text + `"`)
	return b.String()
}
