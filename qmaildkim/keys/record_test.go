package keys_test

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/qmaildkim/keys"
)

func TestRecordPublishesTheKey(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{1024, 2048, 4096} {
		public := &must(rsa.GenerateKey(nil, bits)).PublicKey
		text := must(keys.Record(public, false))
		p, found := strings.CutPrefix(text, "v=DKIM1; k=rsa; p=")
		if !found {
			t.Fatalf("Record = %q", text)
		}
		parsed := must(x509.ParsePKIXPublicKey(must(base64.StdEncoding.DecodeString(p))))
		if !public.Equal(parsed) {
			t.Errorf("%d bits: Record holds another key", bits)
		}
	}
}

// RFC 8463 appendix A.2 has this key and record.
func TestRecordOfEd25519IsTheBareKey(t *testing.T) {
	t.Parallel()
	seed := must(base64.StdEncoding.DecodeString("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
	public := ed25519.NewKeyFromSeed(seed).Public()
	const p = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	if text := must(keys.Record(public, false)); text != "v=DKIM1; k=ed25519; "+p {
		t.Errorf("Record = %q", text)
	}
	if text := must(keys.Record(public, true)); text != "v=DKIM1; k=ed25519; t=y; "+p {
		t.Errorf("Record for testing = %q", text)
	}
}

func TestZoneLineSplitsStrings(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`"([^"]*)"`)
	for _, n := range []int{1, 254, 255, 256, 510, 511, 1500} {
		text := strings.Repeat("x", n)
		line := keys.ZoneLine("s._domainkey.example.com", text)
		if !strings.HasPrefix(line, `s._domainkey.example.com. IN TXT ("x`) || !strings.HasSuffix(line, `")`) || strings.Contains(line, "\n") {
			t.Errorf("%d bytes: %s", n, line)
		}
		var whole string
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			if len(m[1]) == 0 || len(m[1]) > 255 {
				t.Errorf("%d bytes: a string of %d bytes", n, len(m[1]))
			}
			whole += m[1]
		}
		if whole != text {
			t.Errorf("%d bytes: strings hold %d bytes", n, len(whole))
		}
	}
}

func TestRecordNameHasALimit(t *testing.T) {
	t.Parallel()
	if name, ok := keys.RecordName("default", "example.com"); name != "default._domainkey.example.com" || !ok {
		t.Errorf("RecordName = %q, %t", name, ok)
	}
	if name, ok := keys.RecordName("default", strings.Repeat("a.", 120)+"example"); ok {
		t.Errorf("RecordName of %d bytes is accepted", len(name))
	}
}
