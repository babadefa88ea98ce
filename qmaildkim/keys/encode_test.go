package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"ucspi-go/qmaildkim/keys"
)

// What Encode writes, Parse reads.
func TestEncode(t *testing.T) {
	t.Parallel()
	_, ed, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []crypto.Signer{must(rsa.GenerateKey(nil, 1024)), ed} {
		data, err := keys.Encode(private)
		if err != nil {
			t.Fatal(err)
		}
		key, err := keys.Parse(data)
		if err != nil {
			t.Fatalf("Parse(%q): %v", data, err)
		}
		if !key.Signer.(interface{ Equal(crypto.PrivateKey) bool }).Equal(private) {
			t.Errorf("%T comes back as another key", private)
		}
	}
	if data, err := keys.Encode(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))); err != keys.ErrNotKey {
		t.Errorf("Encode = %q, %v, want ErrNotKey", data, err)
	}
}
