//go:build conformance

package qmaildkim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

// TestConformanceSignPeers has dkimpy, Mail::DKIM and OpenDKIM verify every
// awkward message under every canonicalization, as it travels: in CRLF, and
// with a last line end. Each peer is one process for all.
func TestConformanceSignPeers(t *testing.T) {
	for _, peer := range []struct {
		name string
		keys []string
		not  string // header that it does not parse: blanks before a colon, RFC 5322 section 4.5
		cmd  func(t *testing.T) []string
	}{
		{"dkimpy", []string{"rsa"}, "blank-before-colon", func(t *testing.T) []string {
			return []string{peerProgram(t, "python3", "import dkim"), scriptFile(t, dkimpyVerifier)}
		}},
		{"dkimpy-ed25519", []string{"ed"}, "blank-before-colon", func(t *testing.T) []string {
			return []string{peerProgram(t, "python3", "import dkim, nacl"), scriptFile(t, dkimpyVerifier)}
		}},
		{"Mail-DKIM", []string{"rsa"}, "", func(t *testing.T) []string {
			return []string{peerProgram(t, "perl", "use Mail::DKIM::Verifier"), scriptFile(t, mailDKIMVerifier)}
		}},
		{"OpenDKIM", []string{"rsa", "ed"}, "blank-before-colon", func(t *testing.T) []string { return []string{openDKIM(t)} }},
	} {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			cmd := peer.cmd(t)
			home := keyHome(t)
			var names []string
			dir := t.TempDir()
			for _, key := range peer.keys {
				for _, c := range []string{"r", "s", "t", "u"} {
					environ := rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/" + key, "DKIMSIGNOPTIONS=-c " + c}
					for _, m := range awkwardMails() {
						if peer.not != "" && strings.HasPrefix(m.name, peer.not) {
							continue
						}
						out, _, err := process(t, environ, m.text)
						if err != nil {
							t.Fatal(err)
						}
						name := filepath.Join(dir, fmt.Sprintf("%05d", len(names)))
						if err := os.WriteFile(name, []byte(travelling(out)), 0600); err != nil {
							t.Fatal(err)
						}
						names = append(names, key+" "+c+" "+m.name)
					}
				}
			}
			run := exec.Command(cmd[0], append(cmd[1:], rsaRecord(), edRecord(), dir)...)
			run.Stderr = os.Stderr
			out, err := run.Output()
			if err != nil {
				t.Fatal(err)
			}
			verdicts := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			if len(verdicts) != len(names) {
				t.Fatalf("%d verdicts for %d messages", len(verdicts), len(names))
			}
			for i, v := range verdicts {
				if v != "pass" {
					t.Errorf("%s: %s", names[i], v)
				}
			}
			t.Logf("%d messages", len(names))
		})
	}
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

func scriptFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(name, []byte(text), 0600); err != nil {
		t.Fatal(err)
	}
	return name
}

// openDKIM builds a verifier on libopendkim.
func openDKIM(t *testing.T) string {
	t.Helper()
	cc := testprog.Peer(t, "cc")
	name := filepath.Join(t.TempDir(), "verify")
	cmd := exec.Command(cc, "-x", "c", "-o", name, "-", "-lopendkim")
	cmd.Stdin = strings.NewReader(openDKIMVerifier)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Log(string(out))
		testprog.Missing(t, "libopendkim")
	}
	return name
}

// The verifiers take the two key records and a folder, and write a line for
// each of its files in order: pass, or what is wrong with the topmost
// signature.
const (
	dkimpyVerifier = `
import dkim, os, sys
rsa, ed, folder = sys.argv[1:]
def txt(name, timeout=5):
    return (ed if name.startswith(b"ed.") else rsa).encode()
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name), "rb") as f:
        msg = f.read()
    try:
        print("pass" if dkim.DKIM(msg).verify(0, dnsfunc=txt) else "fail")
    except Exception as e:
        print(repr(e))
`
	mailDKIMVerifier = `
use strict; use warnings;
use Mail::DKIM::Verifier; use Mail::DKIM::PublicKey;
my ($rsa, $ed, $folder) = @ARGV;
{
	no warnings 'redefine';
	*Mail::DKIM::PublicKey::fetch_async = sub {
		my ($class, %prms) = @_;
		my $key = $class->parse($rsa);
		@{$key}{qw(Selector Domain)} = @prms{qw(Selector Domain)};
		my $done = $prms{Callbacks} && $prms{Callbacks}{Success} || sub { $_[0] };
		return sub { $done->($key) };
	};
}
for my $name (sort glob("$folder/*")) {
	open my $f, '<:raw', $name or die;
	my $v = Mail::DKIM::Verifier->new;
	$v->load($f);
	my ($s) = $v->signatures;
	print $s ? $s->result eq 'pass' ? 'pass' : $s->result_detail : 'none', "\n";
}
`
	openDKIMVerifier = `
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <unistd.h>
#include <sys/types.h>
#include <opendkim/dkim.h>

static const char *rsa, *ed;

static DKIM_CBSTAT key(DKIM *d, DKIM_SIGINFO *s, unsigned char *buf, size_t len)
{
	snprintf((char *)buf, len, "%s", strcmp((char *)dkim_sig_getselector(s), "ed") ? rsa : ed);
	return DKIM_CBSTAT_CONTINUE;
}

static void verify(DKIM_LIB *lib, const char *name)
{
	static unsigned char buf[1 << 20];
	DKIM_SIGINFO **sigs;
	DKIM_STAT st;
	DKIM *d = dkim_verify(lib, (unsigned char *)"x", NULL, &st);
	FILE *f = fopen(name, "rb");
	size_t n = fread(buf, 1, sizeof buf, f);
	int count;

	fclose(f);
	st = dkim_chunk(d, buf, n);
	if (st == DKIM_STAT_OK)
		st = dkim_chunk(d, NULL, 0);
	if (st == DKIM_STAT_OK)
		st = dkim_eom(d, NULL);
	if (dkim_getsiglist(d, &sigs, &count) != DKIM_STAT_OK || count < 1)
		printf("no signature: %s\n", dkim_getresultstr(st));
	else if (dkim_sig_process(d, sigs[0]) == DKIM_STAT_OK
	    && dkim_sig_getflags(sigs[0]) & DKIM_SIGFLAG_PASSED && dkim_sig_getbh(sigs[0]) == DKIM_SIGBH_MATCH)
		printf("pass\n");
	else
		printf("bh %d, %s, %s\n", dkim_sig_getbh(sigs[0]), dkim_sig_geterrorstr(dkim_sig_geterror(sigs[0])), dkim_getresultstr(st));
	dkim_free(d);
}

int main(int argc, char **argv)
{
	struct dirent **list;
	int i, n;
	DKIM_LIB *lib = dkim_init(NULL, NULL);

	rsa = argv[1];
	ed = argv[2];
	dkim_set_key_lookup(lib, key);
	if (argc < 4 || chdir(argv[3]) != 0 || (n = scandir(".", &list, NULL, alphasort)) < 0)
		return 1;
	for (i = 0; i < n; i++)
		if (list[i]->d_name[0] != '.')
			verify(lib, list[i]->d_name);
	return 0;
}
`
)
