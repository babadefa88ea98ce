package qmaildkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
)

// publicKey returns the key that the TXT text of a record publishes for an
// algorithm, "rsa" or "ed25519", nil when there is none (RFC 6376 section
// 3.6.1, RFC 8463 section 4).
func publicKey(text, algorithm string) crypto.PublicKey {
	tags, _ := parseTags(text)
	kind := tags.text("k")
	if kind == "" {
		kind = "rsa"
	}
	p, err := base64.StdEncoding.DecodeString(tags.text("p"))
	if err != nil || kind != algorithm {
		return nil
	}
	switch kind {
	case "ed25519":
		if len(p) == ed25519.PublicKeySize {
			return ed25519.PublicKey(p)
		}
	case "rsa":
		key, _ := x509.ParsePKIXPublicKey(p)
		if key, ok := key.(*rsa.PublicKey); ok {
			return key
		}
		if key, err := x509.ParsePKCS1PublicKey(p); err == nil {
			return key
		}
	}
	return nil
}

// KeyBits returns the size in bits of the public key in a TXT record, of the
// modulus for RSA; 0 when there is none for the algorithm, which is that of
// Signature.
func KeyBits(text, algorithm string) int {
	kind, _, _ := strings.Cut(algorithm, "-")
	switch key := publicKey(text, kind).(type) {
	case *rsa.PublicKey:
		return key.N.BitLen()
	case ed25519.PublicKey:
		return 8 * len(key)
	}
	return 0
}
