//go:build conformance

package qmaildkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/qmaildkim/keys"
)

// A peer is another implementation, run by a program in testdata/peers.
type peer struct {
	name    string
	ed25519 bool
	broken  string                      // canonicalizations with which its Ed25519 signatures are wrong
	run     func(t *testing.T) []string // the program, "sign" or "verify" and a folder are to follow
	refuses func(name string) bool      // messages that it does not take, of either kind
}

// peers are what is compared with. The exceptions are those of the peers:
//   - dkimpy and OpenDKIM take a field with blanks before its colon (RFC 5322
//     section 4.5, obsolete) for none;
//   - Mail::DKIM knows no Ed25519 (RFC 8463) in Debian 12;
//   - an Ed25519 signature by OpenDKIM 2.11 over a simple header is good for
//     nobody: neither dkimpy nor OpenDKIM itself verifies it.
var peers = []peer{
	{"dkimpy", true, "", func(t *testing.T) []string {
		return []string{peerProgram(t, "python3", "import dkim, nacl"), peerFile("dkimpy.py")}
	}, blankBeforeColon},
	{"Mail-DKIM", false, "", func(t *testing.T) []string {
		return []string{peerProgram(t, "perl", "use Mail::DKIM::Verifier"), peerFile("maildkim.pl")}
	}, func(string) bool { return false }},
	{"OpenDKIM", true, "su", func(t *testing.T) []string { return []string{openDKIM(t)} }, blankBeforeColon},
}

func blankBeforeColon(name string) bool { return strings.HasPrefix(name, "blank-before-colon") }

func peerFile(name string) string { return filepath.Join("testdata", "peers", name) }

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

// openDKIM builds the program on libopendkim.
func openDKIM(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "opendkim")
	cmd := exec.Command(testprog.Peer(t, "cc"), "-o", name, peerFile("opendkim.c"), "-lopendkim")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Log(string(out))
		testprog.Missing(t, "libopendkim")
	}
	return name
}

// A peerKey is a key under its selector.
type peerKey struct {
	selector, algorithm string
	crypto.Signer
}

// peerKeys are keys of each kind: RSA of 1024, 2048 and 4096 bits, Ed25519.
var peerKeys = sync.OnceValue(func() []peerKey {
	list := []peerKey{{"ed", "ed25519-sha256", edKey}, {"rsa1024", "rsa-sha256", rsaKey()}}
	for _, bits := range []int{2048, 4096} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		list = append(list, peerKey{fmt.Sprintf("rsa%d", bits), "rsa-sha256", key})
	}
	return list
})

func (k peerKey) record(t *testing.T) string {
	t.Helper()
	text, err := keys.Record(k.Public(), false)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// peerZone has the keys for the domains of the mails.
func peerZone(t *testing.T) zone {
	z := make(zone)
	for _, k := range peerKeys() {
		for _, domain := range []string{"example.com", idn} {
			z[k.selector+"._domainkey."+domain] = []string{k.record(t)}
		}
	}
	return z
}

// peerMails are the awkward mails and those with international addresses. Of
// the large ones, which cost a peer in Perl or Python tenths of a second, some.
var peerMails = sync.OnceValue(func() []mail {
	n := 0
	return slices.DeleteFunc(slices.Concat(awkwardMails(), internationalMails()), func(m mail) bool {
		if len(m.text) < 50<<10 {
			return false
		}
		n++
		return n%5 != 1
	})
})

// A job is a signature that one side makes and the other verifies.
type signJob struct {
	mail
	key               peerKey
	canonicalizations string // letter of DKIMSIGNOPTIONS
}

var canonicalizations = map[string]string{"r": "relaxed relaxed", "s": "simple simple", "t": "relaxed simple", "u": "simple relaxed"}

// signJobs are all mails under each pair of canonicalizations with one of the
// RSA keys in turn, and with the Ed25519 key if the peer has that.
func signJobs(p peer) []signJob {
	ed, small, middle, large := peerKeys()[0], peerKeys()[1], peerKeys()[2], peerKeys()[3]
	turn := []peerKey{small, middle, small, large, small, middle, small}
	var jobs []signJob
	for i, m := range peerMails() {
		if p.refuses(m.name) {
			continue
		}
		for j, c := range []string{"r", "s", "t", "u"} {
			jobs = append(jobs, signJob{m, turn[(i+j)%len(turn)], c})
			if p.ed25519 {
				jobs = append(jobs, signJob{m, ed, c})
			}
		}
	}
	return jobs
}

func (j signJob) String() string {
	return fmt.Sprintf("%s, -c %s, %s", j.name, j.canonicalizations, j.key.selector)
}

// writeJobs makes the folder that a peer's program works on; texts are the
// messages of the jobs.
func writeJobs(t *testing.T, jobs []signJob, texts []string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range peerKeys() {
		write(k.selector+".txt", k.record(t))
		if rsa, ok := k.Signer.(*rsa.PrivateKey); ok { // dkimpy knows no other form
			write(k.selector+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsa)})))
			continue
		}
		write(k.selector+".pem", keyPEM(t, k.Signer))
		write(k.selector+".seed", base64.StdEncoding.EncodeToString(k.Signer.(ed25519.PrivateKey).Seed()))
	}
	var list strings.Builder
	for i, j := range jobs {
		name := fmt.Sprintf("%05d", i)
		write(name, texts[i])
		fmt.Fprintln(&list, name, j.key.selector, j.domain(), j.key.algorithm, canonicalizations[j.canonicalizations])
	}
	write("jobs", list.String())
	return dir
}

// do runs the peer's program over a folder, in one process.
func (p peer) do(t *testing.T, what, dir string) (output string) {
	t.Helper()
	argv := append(p.run(t), what, dir)
	cmd := exec.Command(argv[0], argv[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", p.name, err, stderr.String())
	}
	return string(out)
}

// travelling returns a message as SMTP brings it to a verifier.
func travelling(msg string) string {
	msg = crlf(msg)
	if !strings.HasSuffix(msg, "\r\n") {
		msg += "\r\n"
	}
	if !strings.Contains(msg, "\r\n\r\n") {
		msg += "\r\n"
	}
	return msg
}
