//go:build conformance

package domainkey

import (
	"encoding/base64"
	"encoding/pem"
	"os/exec"
	"testing"

	"ucspi-go/internal/testprog"
)

// OpenSSL, which the C programs read keys with, accepts the key files, and its
// public half of each private key is the one published.
func TestConformanceOpenSSLReadsTheKeys(t *testing.T) {
	t.Parallel()
	openssl := testprog.Peer(t, "openssl")
	home := newHome(t)
	zone, stderr, code := run(t, home, "-t", "both", "example.com")
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	records := published(t, zone)
	public := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(openssl, append([]string{"pkey", "-pubout"}, args...)...)
		cmd.Dir = home + "/control/domainkeys/example.com"
		out, err := cmd.CombinedOutput()
		block, _ := pem.Decode(out)
		if err != nil || block == nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
		return block.Bytes
	}
	for selector, kind := range map[string]string{"default": "rsa", "default-ed25519": "ed25519"} {
		private := public("-in", selector)
		if string(private) != string(public("-pubin", "-in", kind+".public_default")) {
			t.Errorf("%s: the files are not a pair", kind)
		}
		p, err := base64.StdEncoding.DecodeString(records[selector+"._domainkey.example.com."]["p"])
		if err != nil || kind == "rsa" && string(p) != string(private) ||
			kind == "ed25519" && string(p) != string(private[len(private)-32:]) {
			t.Errorf("%s: p= is not the key that OpenSSL reads, %v", kind, err)
		}
	}
}
