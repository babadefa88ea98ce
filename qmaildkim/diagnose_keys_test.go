package qmaildkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

var otherRSARecord = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return "p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey))
})

func otherEdRecord() string {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	return "k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}

// An asking is a zone that remembers what it was asked for.
type asking struct {
	zone
	mu    sync.Mutex
	names []string
}

func (a *asking) lookupTXT(ctx context.Context, name string) ([]string, error) {
	a.mu.Lock()
	a.names = append(a.names, name)
	a.mu.Unlock()
	return a.zone.lookupTXT(ctx, name)
}

// TestDiagnoseWrongKey: the key at the signature's selector is another than
// the one that signed.
func TestDiagnoseWrongKey(t *testing.T) {
	t.Parallel()
	at := func(selector string) string { return keyName(selector, "example.com") }
	const text = "the key at its own selector is not the one that signed"
	for _, test := range []struct {
		name   string
		keys   func(own, other string) zone // records of the right key and of another
		change func(string) string
		words  string
		hint   string
	}{
		{"at a common selector", func(own, other string) zone { return zone{keyOfRSA: {other}, keyOfEd: {other}, at("mail"): {own}} },
			nil, "wrong-key", `passes with the key at selector "mail": ` + text},
		{"on a list", func(own, other string) zone {
			return zone{keyOfRSA: {other}, keyOfEd: {other}, at("default"): {other}, at("s2"): {own}}
		},
			chain(replace("Subject: ", "Subject: [list] "), addEnd("list\n")), "wrong-key+subject-tag+footer",
			`passes with the key at selector "s2" and with Subject without "[list] " and without the last line: ` + text + ", a tag was put into the subject, a footer was added"},
		{"at another signature's selector", func(own, other string) zone {
			return zone{keyOfRSA: {other}, keyOfEd: {other}, at("sum\x1bmer"): {}, at("winter"): {own}}
		}, func(s string) string {
			return "DKIM-Signature: v=1; a=x; d=Example.com; s=winter\n" + s
		}, "wrong-key", `passes with the key at selector "winter": ` + text},
		{"at another domain", func(own, other string) zone {
			return zone{keyOfRSA: {other}, keyOfEd: {other}, "summer._domainkey.example.net": {own}, at("summer"): {own}}
		}, func(s string) string { return "DKIM-Signature: v=1; a=x; d=example.net; s=summer\n" + s }, "", ""},
		{"nowhere", func(own, other string) zone { return zone{keyOfRSA: {other}, keyOfEd: {other}} }, nil, "", ""},
		{"no answers", func(own, other string) zone {
			return zone{keyOfRSA: {other}, keyOfEd: {other}, at("mail"): nil, at("dkim"): nil}
		}, nil, "", ""},
		{"two records", func(own, other string) zone { return zone{keyOfRSA: {other}, keyOfEd: {other}, at("mail"): {own, own}} }, nil, "", ""},
		{"rubbish", func(own, other string) zone {
			return zone{keyOfRSA: {other}, keyOfEd: {other}, at("mail"): {"p=AAAA; k=ed25519"}, at("k1"): {"p=;"}, at("k2"): {"v=spf1"}}
		}, nil, "", ""},
		{"changed", func(own, other string) zone { return zone{keyOfRSA: {other}, keyOfEd: {other}, at("mail"): {own}} },
			replace("dinner", "lunch"), "", ""},
	} {
		for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ed25519": edKey} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				own, other := rsaRecord(), otherRSARecord()
				if name == "ed25519" {
					own, other = edRecord(), otherEdRecord()
				}
				msg := signC(t, meeting, key, "relaxed/relaxed", meetingNames...)
				if test.change != nil {
					msg = test.change(msg)
				}
				all := verdictOf(t, msg, test.keys(own, other)).Signatures
				s := all[len(all)-1]
				if s.Letter != letterBad && s.Letter != letterBody || s.hint != test.words || s.Hint != test.hint {
					t.Errorf("letter %v, hint %q: %s\nwant %q: %s", s.Letter, s.hint, s.Hint, test.words, test.hint)
				}
			})
		}
	}
}

// TestDiagnosisAsksOnce: for keys at other selectors, and only if none fits.
func TestDiagnosisAsksOnce(t *testing.T) {
	t.Parallel()
	field, rest, _ := strings.Cut(craft("d=example.com"), "\n")
	bad := strings.Replace(field, "h=from:subject", "h=from", 1) + "\n"
	var others strings.Builder
	for i := range maxSignatures - 1 {
		fmt.Fprintf(&others, "DKIM-Signature: v=2; d=example.com; s=x%d\n", i)
	}
	for _, test := range []struct {
		name string
		msg  string
		more int // keys at other selectors that are asked for
	}{
		{"good", craft("d=example.com"), 0},
		{"footer", craft("d=example.com") + "list\n", 0},
		{"the RSA key is the one", strings.Replace(sign(t, plain, rsaKey(), dkim.SignOptions{}), "dinner", "lunch", 1), 0},
		{"bad", bad + rest, len(commonSelectors)},
		{"bad ones", bad + bad + bad + bad + rest, len(commonSelectors)},
		{"of a key that is not there", strings.Replace(bad, "s=ed", "s=gone", 1) + rest, 0},
		{"bad among many", others.String() + bad + rest, maxOtherKeys},
	} {
		a := &asking{zone: testZone()}
		h, s := spoolOf(t, test.msg)
		verifier{lookupTXT: a.lookupTXT}.verify(t.Context(), h, s, "")
		want := 1 + test.more
		if slices.Sort(a.names); len(a.names) != want || len(slices.Compact(a.names)) != want {
			t.Errorf("%s: asked for %q", test.name, a.names)
		}
	}
}

// TestDiagnosisTime: keys at other selectors are waited for together, and not
// beyond their time; what came in time counts.
func TestDiagnosisTime(t *testing.T) {
	msg := craft("d=example.com")
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h, s := spoolOf(t, msg)
			over := make(chan struct{})
			c := verifier{lookupTXT: func(ctx context.Context, name string) ([]string, error) {
				switch name {
				case keyOfEd:
					time.Sleep(lookupBudget - time.Second)
					return []string{otherEdRecord()}, nil
				case "k2._domainkey.example.com":
					return []string{edRecord()}, nil
				}
				if deaf {
					<-over
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}}
			start := time.Now()
			v := c.verify(t.Context(), h, s, "")
			if d := time.Since(start); d != lookupBudget || v.Signatures[0].hint != "wrong-key" {
				t.Errorf("deaf %v: hint %q after %v", deaf, v.Signatures[0].hint, d)
			}
			close(over)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h, s := spoolOf(t, msg)
		c := verifier{lookupTXT: func(ctx context.Context, name string) ([]string, error) {
			if name == keyOfEd {
				return []string{otherEdRecord()}, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		start := time.Now()
		v := c.verify(t.Context(), h, s, "")
		if d := time.Since(start); d != 2*time.Second || v.Signatures[0].hint != "" {
			t.Errorf("hint %q after %v", v.Signatures[0].hint, d)
		}
	})
}

func TestOpenRSA(t *testing.T) {
	t.Parallel()
	key := rsaKey()
	sum := [32]byte{1, 2, 3}
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sha1, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, make([]byte, 20))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(value)
	changed[9] ^= 1
	for _, test := range []struct {
		name  string
		value []byte
		ok    bool
	}{
		{"good", value, true},
		{"changed", changed, false},
		{"short", value[1:], false},
		{"long", append([]byte{0}, value...), false},
		{"none", nil, false},
		{"over the modulus", bytes.Repeat([]byte{0xff}, key.Size()), false},
		{"zero", make([]byte, key.Size()), false},
		{"other hash", sha1, false},
	} {
		if got, ok := openRSA(&key.PublicKey, test.value); ok != test.ok || ok && got != sum {
			t.Errorf("%s: %x, %v", test.name, got, ok)
		}
	}
	// With the exponent 1 a signature is what it was made over.
	for bits, want := range map[uint]bool{maxDiagnosedKey: true, maxDiagnosedKey + 8: false} {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		block := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, int(bits/8)-len(sha256Prefix)-len(sum)-3)...)
		block = slices.Concat(block, []byte{0}, sha256Prefix, sum[:])
		key := &rsa.PublicKey{N: n, E: 1}
		if _, ok := openRSA(key, block); ok != want {
			t.Errorf("key of %d bits: %v, want %v", bits, ok, want)
		}
		if _, ok := openRSA(key, new(big.Int).Add(n, new(big.Int).SetBytes(block)).Bytes()); ok {
			t.Errorf("key of %d bits: a value over the modulus is taken", bits)
		}
	}
}

func TestPublicKey(t *testing.T) {
	t.Parallel()
	_, p, _ := strings.Cut(rsaRecord(), "p=")
	for _, test := range []struct {
		text, algorithm string
		ok              bool
	}{
		{rsaRecord(), "rsa", true},
		{"p=" + p[:20] + "\n " + p[20:], "rsa", true},
		{otherRSARecord(), "rsa", true},
		{edRecord(), "ed25519", true},
		{edRecord(), "rsa", false},
		{rsaRecord(), "ed25519", false},
		{"k=ed25519; p=AAAA", "ed25519", false},
		{"p=AAAA", "rsa", false},
		{"p=!", "rsa", false},
		{"k=dsa; p=" + p, "dsa", false},
		{"", "rsa", false},
	} {
		if key := publicKey(test.text, test.algorithm); (key != nil) != test.ok {
			t.Errorf("publicKey(%q, %s) = %v", test.text, test.algorithm, key)
		}
	}
}
