package qmaildkim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/private"
	"ucspi-go/internal/sandbox"
	"ucspi-go/internal/testprog"
)

// A site signs with the real qmail-dkim, one process after the other.
type preflightSite struct {
	home, tmp string
	server    *dnsserver.Server
}

func newPreflightSite(t *testing.T, zone string) preflightSite {
	zone = strings.NewReplacer("@1", keyOfDefault, "@2", keyOfSecond, "RSA", rsaRecord(), "ED", edRecord()).Replace(zone)
	return preflightSite{preflightHome(t), t.TempDir(), testprog.NameServer(t, zone, dnsserver.Start)}
}

// sign has one process sign and returns its line behind the pid, and how many
// questions it asked.
func (s preflightSite) sign(t *testing.T, environ ...string) (log string, questions int) {
	t.Helper()
	before := len(s.server.Queries())
	r := runDKIM(t, plain, "", append([]string{"QMAILHOME=" + s.home, "TMPDIR=" + s.tmp, "DNSCACHEIP=" + s.server.Addr(), "RELAYCLIENT="}, environ...)...)
	if r.below != plain {
		t.Errorf("queued below the signatures:\n%s", r.below)
	}
	if n := strings.Count(r.log, " d="); n != strings.Count(r.fields, "DKIM-Signature:") {
		t.Errorf("%d signatures in the log, on the message\n%s", n, r.fields)
	}
	_, log, _ = strings.Cut(strings.TrimSuffix(r.log, "\n"), " from=example.com ")
	return log, len(s.server.Queries()) - before
}

const (
	logOfDefault = "d=example.com s=default a=rsa-sha256 key=control/domainkeys/example.com/default"
	logOfSecond  = " d=example.com s=default-ed25519 a=ed25519-sha256 key=control/domainkeys/example.com/default-ed25519"
	logOfBoth    = logOfDefault + logOfSecond + " rcpts=1"
)

// The second process has its answer from the file, whatever the answer is.
func TestPreflightProcess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, environ, zone string
		log                 string
		questions           int // of the first process
	}{
		{"off", "DKIMLOG=2", "@1 TXT x", logOfBoth, 0},
		{"published", "DKIMPREFLIGHT=", "@1 300 TXT RSA\n@2 300 TXT ED", logOfBoth, 2},
		{"in a sandbox", "SANDBOX=", "@1 300 TXT RSA\n@2 300 TXT ED", logOfBoth, 2},
		{"missing", "DKIMPREFLIGHT=", "@1 TXT RSA", logOfBoth + " warn=key-missing:default-ed25519", 2},
		{"missing, unsigned", "DKIMPREFLIGHT=unsigned", "@1 TXT RSA", logOfDefault + " rcpts=1 warn=key-missing:default-ed25519", 2},
		{"all revoked, unsigned", "DKIMPREFLIGHT=unsigned", "* TXT v=DKIM1; p=", "reason=key-revoked warn=key-revoked:default,key-revoked:default-ed25519", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			environ := []string{tt.environ}
			if tt.environ == "SANDBOX=" {
				if !sandbox.Available() {
					t.Skip("this kernel has no Landlock")
				}
				environ = append(environ, "DKIMPREFLIGHT=")
			}
			s := newPreflightSite(t, tt.zone)
			for i, questions := range []int{tt.questions, 0} {
				if log, n := s.sign(t, environ...); log != tt.log || n != questions {
					t.Errorf("process %d: %d questions, log %q; want %d, %q", i+1, n, log, questions, tt.log)
				}
			}
			_, err := os.Stat(filepath.Join(private.Path(s.tmp, "qmail-dkim"), cacheFile))
			if kept := err == nil; kept != (tt.questions > 0) {
				t.Errorf("file kept: %v", kept)
			}
		})
	}
}

// Mail leaves signed however the server of the key misbehaves: after the
// budget the first time, at once the second.
func TestPreflightTrouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, zone string
		timeout    string
		least      time.Duration
	}{
		{"silent", "* TIMEOUT", "", preflightBudget},
		{"silent, by DKIMDNSTIMEOUT", "* TIMEOUT", "1", time.Second},
		{"one of two silent", "@1 TXT RSA\n@2 TIMEOUT", "1", time.Second},
		{"fails", "* SERVFAIL", "1", 0},
		{"silent over TCP", "* TRUNCATE\n* TIMEOUT TCP", "1", time.Second},
		{"drips over TCP", "* TXT " + strings.Repeat("x", 5000) + "\n* TRUNCATE\n* SHORT", "1", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newPreflightSite(t, tt.zone)
			began := time.Now()
			log, n := s.sign(t, "DKIMPREFLIGHT=unsigned", "DKIMDNSTIMEOUT="+tt.timeout)
			// The resolver by itself would try for 59 seconds.
			if took := time.Since(began); took < tt.least || took > 30*time.Second {
				t.Errorf("took %v", took)
			}
			want := logOfBoth + " warn=key-temporary:default,key-temporary:default-ed25519"
			if strings.Contains(tt.name, "one of two") {
				want = logOfBoth + " warn=key-temporary:default-ed25519"
			}
			if log != want || n == 0 {
				t.Errorf("%d questions, log %q; want %q", n, log, want)
			}
			if log, n := s.sign(t, "DKIMPREFLIGHT=unsigned", "DKIMDNSTIMEOUT="+tt.timeout); log != want || n != 0 {
				t.Errorf("second process: %d questions, log %q", n, log)
			}
		})
	}
}

// A damaged file is told once and replaced; where none can be kept, that is
// told each time.
func TestPreflightCacheTrouble(t *testing.T) {
	t.Parallel()
	s := newPreflightSite(t, "@1 300 TXT RSA\n@2 300 TXT ED")
	folder := private.Path(s.tmp, "qmail-dkim")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, cacheFile), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	const told = " warn=preflight-cache"
	step := func(name, want string, questions int) {
		t.Helper()
		if log, n := s.sign(t, "DKIMPREFLIGHT=unsigned"); log != want || n != questions {
			t.Errorf("%s: %d questions, log %q; want %d, %q", name, n, log, questions, want)
		}
	}
	step("damaged", logOfBoth+told, 2)
	step("replaced", logOfBoth, 0)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	step("open to others", logOfBoth+told, 2)
	step("still", logOfBoth+told, 2)
}

// It is about signing.
func TestPreflightVerifying(t *testing.T) {
	t.Parallel()
	server := testprog.NameServer(t, keyOfEd+" TXT "+edRecord(), dnsserver.Start)
	tmp := t.TempDir()
	r := runDKIM(t, craft("d=example.com"), "", "DKIMPREFLIGHT=unsigned", "TMPDIR="+tmp, "DNSCACHEIP="+server.Addr())
	if files, err := os.ReadDir(tmp); r.result() != "A" || err != nil || len(files) > 0 {
		t.Errorf("%s, files %v, %v", r.log, files, err)
	}
}
