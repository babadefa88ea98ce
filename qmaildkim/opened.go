package qmaildkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// maxDiagnosedKey bounds the RSA keys of a diagnosis, in bits: its arithmetic
// is not that of crypto/rsa, which does not tell what was signed.
const maxDiagnosedKey = 4096

// An opened signature is one of which is known what it was made over, or can
// be asked.
type opened struct {
	sum [sha256.Size]byte // of an RSA signature

	ed25519 ed25519.PublicKey // nil for RSA
	value   []byte
}

// open opens a signature with a public key. Ok is false when another key made
// it, which only RSA tells, or when it is not the kind of key.
func open(key crypto.PublicKey, value []byte) (o opened, ok bool) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		o.sum, ok = openRSA(key, value)
		return o, ok
	case ed25519.PublicKey:
		return opened{ed25519: key, value: value}, len(value) == ed25519.SignatureSize
	}
	return o, false
}

// sha256Prefix is what PKCS #1 version 1.5 puts before a SHA-256 hash (RFC
// 8017 section 9.2).
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// openRSA returns the SHA-256 hash that was signed.
func openRSA(key *rsa.PublicKey, value []byte) (sum [sha256.Size]byte, ok bool) {
	size := key.Size()
	padding := size - len(sha256Prefix) - len(sum) - len("\x00\x01\x00")
	if key.N.BitLen() > maxDiagnosedKey || len(value) != size || padding < 8 {
		return sum, false
	}
	n := new(big.Int).SetBytes(value)
	if n.Cmp(key.N) >= 0 {
		return sum, false
	}
	block := n.Exp(n, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	head := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, padding)...)
	head = append(append(head, 0), sha256Prefix...)
	hash, ok := bytes.CutPrefix(block, head)
	copy(sum[:], hash)
	return sum, ok
}

// over reports whether the signature was made over the canonical header form,
// and what its signer did wrong, if anything.
func (o opened) over(form []byte) (alterations []alteration, ok bool) {
	sum := sha256.Sum256(form)
	switch {
	case o.ed25519 == nil:
		return nil, sum == o.sum
	case ed25519.Verify(o.ed25519, sum[:], o.value):
		return nil, true
	case ed25519.Verify(o.ed25519, form, o.value):
		return []alteration{faultEd25519}, true
	}
	return nil, false
}

// cost returns what over costs, in bytes hashed. An Ed25519 signature takes as
// long as a hash of about 100 kB, and it is verified twice.
func (o opened) cost(form []byte) int64 {
	if o.ed25519 == nil {
		return int64(len(form))
	}
	return 2*int64(len(form)) + 256<<10
}
