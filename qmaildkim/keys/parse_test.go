package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"ucspi-go/qmaildkim/keys"
)

// rsa512PEM is an RSA key of 512 bits, which this library does not make:
// openssl genrsa -traditional 512 (OpenSSL 3.0.19).
const rsa512PEM = `-----BEGIN RSA PRIVATE KEY-----
MIIBOQIBAAJBAMZI+Jjr2vvWlpGwWRKs87VtWpl5XF8ZFuM5+Qr5TKZtkapIPZEF
mmD4S9Kq4U0yy1vqKlMIokhyXUnpYViF7IMCAwEAAQJALHm5qTNeDxb29v7DO/kn
QQ6iP8KFAZ+zDoy2W8vHcZzEavLOKX6UrGYhHXHkRoxiUQelEs+OqEW0ymH71K31
gQIhAPov1keiz89oFVhCh6Z2vLwTzemq6swI4doLCwwOuhiRAiEAyuRpTbJb/5VL
NLPSHaSA6VyyDebMqFhtPwwJwypHXdMCIGMXMVKcLJykR9f2Oc33t1byrRrAhFCd
r/5xY0W6S4DRAiAnXq0kW4DIloKyZlZWVC6Dme4fDnMWE5qXSlG2okSY6wIgS9yO
f9DLOIm9q7lcTSidRNQKsXKB6Xh/fXte8RwnUGI=
-----END RSA PRIVATE KEY-----
`

func TestParse(t *testing.T) {
	t.Parallel()
	private := must(rsa.GenerateKey(nil, 2048))
	pkcs1 := pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
	pkcs8 := pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))
	lines := strings.SplitAfter(pkcs1, "\n")
	tests := []struct {
		name, text, algorithm string
		bits                  int
	}{
		{"PKCS#1", pkcs1, "rsa-sha256", 2048},
		{"PKCS#8", pkcs8, "rsa-sha256", 2048},
		{"Ed25519", ed25519PEM, "ed25519-sha256", 256},
		{"text before", "key of example.com\n\n" + pkcs1, "rsa-sha256", 2048},
		{"comments and blank lines before", "\n# default\n\n" + pkcs1, "rsa-sha256", 2048},
		{"comments and blank lines inside", lines[0] + "\n# half\n" + strings.Join(lines[1:], "\n"), "rsa-sha256", 2048},
		{"trailing blanks", strings.ReplaceAll(pkcs1, "\n", " \t\n"), "rsa-sha256", 2048},
		{"CRLF", strings.ReplaceAll(pkcs8, "\n", "\r\n"), "rsa-sha256", 2048},
		{"no last newline", strings.TrimSpace(pkcs1), "rsa-sha256", 2048},
		{"other blocks before", pemOf("CERTIFICATE", []byte("x")) + pkcs8, "rsa-sha256", 2048},
	}
	for _, tt := range tests {
		key, err := keys.Parse([]byte(tt.text))
		if err != nil || key.Algorithm != tt.algorithm || key.Bits != tt.bits {
			t.Errorf("%s: Parse = %+v, %v, want %s, %d bits", tt.name, key, err, tt.algorithm, tt.bits)
			continue
		}
		if !verifies(key.Signer) {
			t.Errorf("%s: the key does not sign", tt.name)
		}
	}
}

func verifies(s crypto.Signer) bool {
	message := []byte("a body hash")
	sum := sha256.Sum256(message)
	switch public := s.Public().(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], must(s.Sign(rand.Reader, sum[:], crypto.SHA256))) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, must(s.Sign(rand.Reader, message, crypto.Hash(0))))
	}
	return false
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode([]byte(rsaPEM))
	block.Bytes[40] ^= 1 // of the modulus
	elliptic := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tests := []struct {
		name, text string
		want       error
	}{
		{"empty", "", keys.ErrNotKey},
		{"no PEM", "default", keys.ErrNotKey},
		{"cut off", rsaPEM[:len(rsaPEM)/2], keys.ErrNotKey},
		{"one bit wrong", pemOf(block.Type, block.Bytes), keys.ErrDamaged},
		{"512 bits", rsa512PEM, keys.ErrTooShort},
		{"elliptic curve", pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(elliptic))), keys.ErrNotKey},
		{"elliptic curve, old form", pemOf("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(elliptic))), keys.ErrNotKey},
		{"encrypted", pemOf("ENCRYPTED PRIVATE KEY", []byte("x")), keys.ErrEncrypted},
		{"encrypted, old form", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", keys.ErrEncrypted},
	}
	for _, tt := range tests {
		if key, err := keys.Parse([]byte(tt.text)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Parse = %+v, %v, want %v", tt.name, key, err, tt.want)
		}
	}
}

// What parses is a key that signs and has a record.
func FuzzParse(f *testing.F) {
	f.Add([]byte(ed25519PEM))
	f.Add([]byte("# comment\n\n" + rsaPEM))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := keys.Parse(data)
		if (key == nil) == (err == nil) {
			t.Fatalf("Parse(%q) = %v, %v, want exactly one", data, key, err)
		}
		if err != nil {
			return
		}
		if _, err := keys.Record(key.Signer.Public(), false); err != nil {
			t.Errorf("Record = %v", err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"rsa1024": rsaPEM, "rsa2048": rsaKey(2048), "ed25519": ed25519PEM} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(keys.Parse([]byte(text)))
			}
		})
	}
}
