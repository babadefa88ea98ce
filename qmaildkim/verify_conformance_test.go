//go:build conformance

package qmaildkim

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// peerMessages are messages with LF line ends that signers find hard.
func peerMessages() []string {
	headers := []string{
		"From: joe@example.com\nSubject: dinner\n",
		"Received: by x\n\tfor y\nFrom: \"Joe\"\n <joe@example.com>\nSubject:  two   blanks \t \nTo: a,\n\tb,\n  c\n",
		"From:joe@example.com\nSubject:\nX-Empty: \nsubject: again\n",
		"From: J\xc3\xb6rg <joe@example.com>\nSubject: \xe5\xa4\x95\xe9\xa3\x9f\nMIME-Version: 1.0\n",
	}
	bodies := []string{
		"", "\n", "\n\n\n", " \n", "\t\n\n", "a", "a\n", "a \t\n", "a\n\n\n", "\n\na\n", "a\n \n\n\t\nb\n \n", "a  b\tc \t d\n",
		" leading\n", ".\n..\n", "From here\n", strings.Repeat("long ", 4000) + "\n", strings.Repeat("line\n\n", 9000), "\xff\xfe\n\x80",
		strings.Repeat("\n", 40000) + "x", "last line with blanks   ",
	}
	var messages []string
	for _, h := range headers {
		for _, b := range bodies {
			messages = append(messages, h+"\n"+b)
		}
	}
	return messages
}

// TestConformanceVerifyPeers verifies what dkimpy and Mail::DKIM signed: every
// message under every pair of canonicalizations, with and without CRLF.
func TestConformanceVerifyPeers(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pem")
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey())}
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0600); err != nil {
		t.Fatal(err)
	}
	messages := peerMessages()
	input, err := json.Marshal(encoded(messages))
	if err != nil {
		t.Fatal(err)
	}
	canonicalizations := []string{"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}
	for _, peer := range []struct{ name, program, probe, script string }{
		{"dkimpy", "python3", "import dkim", dkimpySigner},
		{"Mail-DKIM", "perl", "use Mail::DKIM::Signer; use Mail::DKIM::PrivateKey; use JSON::PP;", mailDKIMSigner},
	} {
		t.Run(peer.name, func(t *testing.T) {
			program := peerProgram(t, peer.program, peer.probe)
			for _, c := range canonicalizations {
				fields := peerFields(t, program, peer.script, key, c, input)
				if len(fields) != len(messages) {
					t.Fatalf("%d signatures for %d messages", len(fields), len(messages))
				}
				for i, msg := range messages {
					signed := strings.ReplaceAll(fields[i], "\r\n", "\n") + msg
					for _, s := range []string{signed, crlf(signed)} {
						if v := verdictOf(t, s, testZone()); v.Letter != letterGood {
							t.Errorf("%s, message %d ending in %q: %v %s", c, i, msg[max(0, len(msg)-20):], v.Letter, v.fields())
						}
					}
				}
			}
		})
	}
}

// peerProgram returns an interpreter of the system that has the peer's module.
func peerProgram(t *testing.T, name, probe string) string {
	t.Helper()
	flag := map[string]string{"python3": "-c", "perl": "-e"}[name]
	for _, program := range []string{"/usr/bin/" + name, testprog.Peer(t, name)} {
		if exec.Command(program, flag, probe).Run() == nil {
			return program
		}
	}
	testprog.Missing(t, fmt.Sprintf("%s module of %q", name, probe))
	return ""
}

// peerFields has the peer sign all messages in one process and returns the
// signature fields.
func peerFields(t *testing.T, program, script, key, canonicalization string, input []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sign")
	if err := os.WriteFile(file, []byte(script), 0600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, file, key, canonicalization)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	if err := json.Unmarshal(out, &fields); err != nil {
		t.Fatal(err)
	}
	for i, f := range fields {
		b, err := base64.StdEncoding.DecodeString(f)
		if err != nil {
			t.Fatal(err)
		}
		fields[i] = string(b)
	}
	return fields
}

// encoded returns the messages as the signers get them: as SMTP would carry
// them, since Mail::DKIM does not end the last line itself.
func encoded(messages []string) []string {
	var list []string
	for _, m := range messages {
		if !strings.HasSuffix(m, "\n") {
			m += "\n"
		}
		list = append(list, base64.StdEncoding.EncodeToString([]byte(crlf(m))))
	}
	return list
}

const dkimpySigner = `
import base64, json, sys, dkim
key = open(sys.argv[1], "rb").read()
c = tuple(x.encode() for x in sys.argv[2].split("/"))
out = []
for m in json.load(sys.stdin):
    field = dkim.sign(base64.b64decode(m), b"rsa", b"example.com", key, canonicalize=c,
                      include_headers=[b"from", b"from", b"subject", b"to"])
    out.append(base64.b64encode(field).decode())
json.dump(out, sys.stdout)
`

const mailDKIMSigner = `
use strict; use MIME::Base64; use JSON::PP;
use Mail::DKIM::Signer; use Mail::DKIM::PrivateKey;
my $key = Mail::DKIM::PrivateKey->load(File => $ARGV[0]);
my @out;
for my $m (@{decode_json(do { local $/; <STDIN> })}) {
    my $s = Mail::DKIM::Signer->new(Algorithm => "rsa-sha256", Method => $ARGV[1],
        Domain => "example.com", Selector => "rsa", Key => $key);
    $s->PRINT(decode_base64($m));
    $s->CLOSE;
    push @out, encode_base64($s->signature->as_string . "\r\n", "");
}
print encode_json(\@out);
`
