package qmaildkim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// fill repeats unit until there are about n bytes.
func fill(unit string, n int) string { return strings.Repeat(unit, n/len(unit)) }

// hostileMessages are what go-msgauth or a careless parser is slower than linear in,
// or holds in memory, each as long as asked for. Letter is that of the verdict
// and reason why it is not signed, empty when it is.
var hostileMessages = []struct {
	name    string
	message func(n int) string
	letter  func(n int) string
	reason  func(n int) string
}{
	{"folded field", func(n int) string { return signedAbove("X: y\n" + fill(" x\n", n)) }, always("T"), overHeader},
	{"million folds in To", func(n int) string { return signedAbove("To: y\n" + fill(" \n", n)) }, always("T"), overHeader},
	{"unfolded field", func(n int) string { return signedAbove("X: " + fill("x ", n) + "\n") }, always("T"), overHeader},
	{"many fields", func(n int) string { return signedAbove(fill("X: y\n", n)) }, always("T"), overHeader},
	{"many From fields", func(n int) string { return signedAbove(fill("From: a@b\n", n)) }, always("T"), overHeader},
	{"authors without end", func(n int) string { return signedAbove("From: " + fill("a@example.org, ", n) + "\n") }, always("T"), overHeader},
	{"comment without end", func(n int) string { return signedAbove("Cc: " + fill("(", n) + "\n") }, always("T"), overHeader},
	{"names in h=", func(n int) string {
		return "DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=ed; bh=AAAA; b=AAAA; h=from" + fill(":x", min(n, 200_000)) + "\n" + plain + fill("x\n", n)
	}, always("T"), isSigned},
	{"thousand signatures", func(n int) string {
		field, rest, _ := strings.Cut(craft("d=example.com"), "\n")
		return strings.Repeat(field+"\n", 900) + rest + fill("x\n", n)
	}, always("U"), isSigned},
	{"blank lines at the end", func(n int) string { return craft("d=example.com") + fill("\n", n) }, always("A"), isSigned},
	{"CR LF at the end", func(n int) string { return craft("d=example.com") + fill("\r\n", n) }, always("A"), isSigned},
	{"blank lines inside", func(n int) string { return craft("d=example.com") + fill("\r\n", n) + "x\n" }, always("T"), blankLines},
	{"lines of blanks", func(n int) string { return craft("d=example.com") + fill(" \n", n) + "x\n" }, always("T"), blankLines},
	{"line without end", func(n int) string { return craft("d=example.com") + fill("x", n) }, always("U"), isSigned},
	{"blanks without end", func(n int) string { return craft("d=example.com") + fill(" ", n) + "\n" }, always("A"), isSigned},
	{"bare CR", func(n int) string { return craft("d=example.com") + fill("\r", n) }, nil, blankLines},
	{"NUL", func(n int) string { return craft("d=example.com") + fill("\x00", n) }, always("U"), isSigned},
	{"header without end", func(n int) string { return craft("d=example.com")[:60] + fill("\x00", n) }, nil, nil},
}

func always(letter string) func(int) string { return func(int) string { return letter } }

func overHeader(int) string { return faultLimit }
func blankLines(int) string { return reasonBlankLines }
func isSigned(int) string   { return "" }

// signedAbove puts a signature, and then these fields, above a message.
func signedAbove(fields string) string {
	field, rest, _ := strings.Cut(craft("d=example.com"), "\n")
	return field + "\n" + fields + rest
}

// TestHostileSizes has the real qmail-dkim sign and verify each of them, at 1
// MiB and at 25 MiB: memory stays within 32 MiB, time within what a linear
// program needs, the outcome is defined, and the message goes on as it came.
func TestHostileSizes(t *testing.T) {
	home := keyHome(t)
	server := testprog.NameServer(t, keyOfEd+" TXT "+edRecord()+"\n", dnsserver.Start).Addr()
	sizes := []int{1 << 20, 25 << 20}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, m := range hostileMessages {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d MiB", m.name, size>>20), func(t *testing.T) {
				msg := m.message(size)
				verified := runDKIM(t, msg, "", "QMAILHOME="+home, "DKIMVERIFY=", "DKIMAUTHSERVID=mx", "DKIMDNSTIMEOUT=1", "DNSCACHEIP="+server)
				signed := runDKIM(t, msg, "", "QMAILHOME="+home, "RELAYCLIENT=", "DKIMKEY=control/domainkeys/%/ed")
				t.Logf("verify %v %d KiB, sign %v %d KiB", verified.cpu, verified.peak, signed.cpu, signed.peak)
				for what, r := range map[string]run{"verify": verified, "sign": signed} {
					// Half a second when nothing else goes on, two for ten signatures of
					// 25 MiB, which the library hashes once for each; what is not linear
					// takes minutes.
					if r.peak > 32<<10 || r.cpu > 10*time.Second {
						t.Errorf("%s: %v, %d KiB", what, r.cpu, r.peak)
					}
					if r.below != msg {
						t.Errorf("%s: not passed on as it came", what)
					}
				}
				if got := verified.result(); len(got) != 1 || m.letter != nil && got != m.letter(size) {
					t.Errorf("result %q in %s", got, verified.log)
				}
				if got := signed.word("reason"); m.reason != nil && got != m.reason(size) {
					t.Errorf("reason %q in %s", got, signed.log)
				}
			})
		}
	}
}
