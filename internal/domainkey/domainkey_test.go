package domainkey

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
	"ucspi-go/qmaildkim/keys"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// run runs the program on a home folder and returns what it printed.
func run(t *testing.T, home string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runIn(t, usual, home, nil, args...)
}

// runIn is run in a world, with further settings in the environment.
func runIn(t *testing.T, w world, home string, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &prog.Env{
		Name: "domainkey", Argv0: "domainkey", Args: args,
		Stdout: &out, Stderr: &errs, Environ: append([]string{"QMAILHOME=" + home}, environ...),
	}
	code = prog.Report(env, w.run(t.Context(), env))
	return out.String(), errs.String(), code
}

func newHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(home+"/control", 0o755); err != nil {
		t.Fatal(err)
	}
	return home
}

var quoted = regexp.MustCompile(`"([^"]*)"`)

// published returns the tags of each record, read as a verifier would after
// joining its strings, by owner name.
func published(t *testing.T, zone string) map[string]map[string]string {
	t.Helper()
	records := map[string]map[string]string{}
	for line := range strings.Lines(zone) {
		var text string
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			if len(m[1]) > 255 {
				t.Errorf("string of %d bytes", len(m[1]))
			}
			text += m[1]
		}
		name, _, _ := strings.Cut(line, " ")
		records[name] = map[string]string{}
		for tag := range strings.SplitSeq(text, ";") {
			k, v, _ := strings.Cut(strings.TrimSpace(tag), "=")
			records[name][k] = v
		}
	}
	return records
}

// What is published is the key with which qmail-dkim will sign.
func TestRecordIsThatOfTheKeyFound(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{1024, 2048, 4096} {
		home := newHome(t)
		zone, stderr, code := run(t, home, "-t", "both", "-b", strconv.Itoa(bits), "example.com")
		if code != 0 {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		records := published(t, zone)
		store := keys.Store{Home: home}
		key, err := store.Find("control/domainkeys/%/default", "example.com")
		if err != nil || key.Bits != bits || key.Warn != "" {
			t.Fatalf("Find = %+v, %v, want %d bits", key, err, bits)
		}
		rec := records["default._domainkey.example.com."]
		der, _ := base64.StdEncoding.DecodeString(rec["p"])
		public, err := x509.ParsePKIXPublicKey(der)
		if err != nil || rec["v"] != "DKIM1" || rec["k"] != "rsa" || !key.Signer.Public().(*rsa.PublicKey).Equal(public) {
			t.Errorf("%d bits: record %v, %v is not that of the key", bits, rec, err)
		}
		second, err := store.Second(key)
		if err != nil || second == nil {
			t.Fatalf("Second = %v, %v", second, err)
		}
		rec = records["default-ed25519._domainkey.example.com."]
		point, _ := base64.StdEncoding.DecodeString(rec["p"])
		if rec["k"] != "ed25519" || !second.Signer.Public().(ed25519.PublicKey).Equal(ed25519.PublicKey(point)) {
			t.Errorf("record %v is not that of the Ed25519 key", rec)
		}
	}
}

func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	t.Parallel()
	tests := []struct {
		name     string
		domains  int // owner of control/domainkeys; 0 where it does not exist
		args     []string
		uid, gid uint32
	}{
		{"-u", 0, []string{"-u", "65533"}, 65533, 0},
		{"-u before the folder's owner", 65532, []string{"-u", "65533"}, 65533, 0},
		{"the folder's owner", 65532, nil, 65532, 65531},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := newHome(t)
			if tt.domains != 0 {
				dir := home + "/control/domainkeys"
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Chown(dir, tt.domains, 65531); err != nil {
					t.Fatal(err)
				}
			}
			if _, stderr, code := run(t, home, append(tt.args, "-b", "1024", "example.com")...); code != 0 || strings.Contains(stderr, "belongs") {
				t.Fatalf("exit %d\n%s", code, stderr)
			}
			dir := home + "/control/domainkeys/example.com"
			for _, name := range []string{"", "/default", "/rsa.private_default", "/rsa.public_default"} {
				st, err := os.Lstat(dir + name)
				if err != nil {
					t.Fatal(err)
				}
				if sys := st.Sys().(*syscall.Stat_t); sys.Uid != tt.uid || sys.Gid != tt.gid {
					t.Errorf("example.com%s belongs to %d.%d, want %d.%d", name, sys.Uid, sys.Gid, tt.uid, tt.gid)
				}
			}
			_, stderr, code := run(t, home, "-u", "65530", "-b", "1024", "example.com", "next")
			if want := "domainkey: warning: control/domainkeys/example.com belongs to another user than its new key"; code != 0 || !strings.Contains(stderr, want) {
				t.Errorf("a key of another user in the folder: exit %d\n%s", code, stderr)
			}
		})
	}
}
