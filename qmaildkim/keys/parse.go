package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
)

// minBits is the length from which an RSA key may sign, RFC 8301 section 3.2.
const minBits = 1024

// Parse reads a private key in PEM form: PKCS#1 or PKCS#8, RSA or Ed25519,
// not encrypted. What is before the key is skipped, as are blank lines, lines
// beginning with "#" and blanks at the end of lines. As sagredo's qmail-dkim,
// which reads keys as control files. Path and Selector of the key are empty.
func Parse(data []byte) (*Key, error) {
	for rest := clean(data); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, ErrNotKey
		}
		switch block.Type {
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, ErrEncrypted
			}
			return newKey(x509.ParsePKCS1PrivateKey(block.Bytes))
		case "PRIVATE KEY":
			return newKey(x509.ParsePKCS8PrivateKey(block.Bytes))
		case "ENCRYPTED PRIVATE KEY":
			return nil, ErrEncrypted
		}
	}
}

// clean drops what a control file may hold besides its lines.
func clean(data []byte) []byte {
	out := make([]byte, 0, len(data)+1)
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, " \t\r\n")
		if len(line) > 0 && line[0] != '#' {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

func newKey[T any](private T, err error) (*Key, error) {
	if err != nil {
		return nil, ErrDamaged
	}
	switch private := any(private).(type) {
	case *rsa.PrivateKey:
		key := &Key{Signer: private, Algorithm: "rsa-sha256", Bits: private.N.BitLen()}
		if key.Bits < minBits {
			return nil, ErrTooShort
		}
		return key, nil
	case ed25519.PrivateKey:
		return &Key{Signer: private, Algorithm: "ed25519-sha256", Bits: 256}, nil
	}
	return nil, ErrNotKey
}
