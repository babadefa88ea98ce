package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
)

// Encode returns the key file of a private key, *rsa.PrivateKey or
// ed25519.PrivateKey, as domainkey makes it and Parse reads it: RSA in PKCS#1,
// which the C programs of any age read, Ed25519 in PKCS#8, its only form. The
// error is ErrNotKey for any other key.
func Encode(private crypto.Signer) ([]byte, error) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}), nil
	case ed25519.PrivateKey:
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	return nil, ErrNotKey
}
