package keys_test

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/qmaildkim/keys"
)

var (
	rsaPEM     = rsaKey(1024)
	ed25519PEM = pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, 32)))))
)

func rsaKey(bits int) string {
	return pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(nil, bits))))
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tree makes files in a new folder: content, "" for a folder, "-> target" for
// a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	home := t.TempDir()
	for name, content := range files {
		name = filepath.Join(home, name)
		must(0, os.MkdirAll(filepath.Dir(name), 0o700))
		target, link := strings.CutPrefix(content, "-> ")
		switch {
		case link:
			must(0, os.Symlink(target, name))
		case content == "":
			must(0, os.MkdirAll(name, 0o700))
		default:
			must(0, os.WriteFile(name, []byte(content), 0o600))
		}
	}
	return home
}

func TestFindTakesTheFirstThatExists(t *testing.T) {
	t.Parallel()
	const usual = "control/domainkeys/%/default"
	tests := []struct {
		name, pattern, domain string
		files                 map[string]string
		path, selector        string
	}{
		{"domain", usual, "example.com", map[string]string{
			"control/domainkeys/example.com/default": rsaPEM, "control/domainkeys/default": "junk",
		}, "control/domainkeys/example.com/default", "default"},
		{"without %", usual, "example.com", map[string]string{
			"control/domainkeys/other.example/default": rsaPEM, "control/domainkeys/default": rsaPEM,
		}, "control/domainkeys/default", "default"},
		{"every %", "k/%/%-x/%sel", "a.b", map[string]string{"k/a.b/a.b-x/a.bsel": rsaPEM}, "k/a.b/a.b-x/a.bsel", "a.bsel"},
		{"every % deleted", "k/%/x%/sel", "a.b", map[string]string{"k/x/sel": rsaPEM}, "k/x/sel", "sel"},
		{"selector is not the link's target", usual, "example.com", map[string]string{
			"control/domainkeys/example.com/default":             "-> rsa.private_default",
			"control/domainkeys/example.com/rsa.private_default": rsaPEM,
		}, "control/domainkeys/example.com/default", "default"},
		{"one link for a second domain", usual, "other.example", map[string]string{
			"control/domainkeys/other.example/default":           "-> ../example.com/rsa.private_default",
			"control/domainkeys/example.com/rsa.private_default": rsaPEM,
		}, "control/domainkeys/other.example/default", "default"},
		{"trailing slashes", usual + "//", "example.com", map[string]string{
			"control/domainkeys/example.com/default": rsaPEM,
		}, "control/domainkeys/example.com/default", "default"},
		{"control as second place", "domainkeys/%/s1", "example.com", map[string]string{
			"control/domainkeys/example.com/s1": rsaPEM, "domainkeys/s1": "junk",
		}, "control/domainkeys/example.com/s1", "s1"},
		{"home as first place", "domainkeys/%/s1", "example.com", map[string]string{
			"control/domainkeys/example.com/s1": "junk", "domainkeys/example.com/s1": rsaPEM,
		}, "domainkeys/example.com/s1", "s1"},
		{"without % under control", "domainkeys/%/s1", "example.com", map[string]string{
			"control/domainkeys/s1": rsaPEM,
		}, "control/domainkeys/s1", "s1"},
		{"no %", "control/key", "example.com", map[string]string{"control/key": rsaPEM}, "control/key", "key"},
		{"last component is %", "keys/%", "example.com", map[string]string{"keys/example.com": rsaPEM}, "keys/example.com", "example.com"},
		{"parent of a link", "keys/a/../b", "example.com", map[string]string{
			"keys/a": "-> ../far/away", "far/away/c": rsaPEM, "far/b": rsaPEM, "keys/b": "junk",
		}, "keys/a/../b", "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := tree(t, tt.files)
			for _, control := range []string{"control", filepath.Join(home, "control")} {
				key, err := keys.Store{Home: home, Control: control}.Find(tt.pattern, tt.domain)
				if err != nil {
					t.Fatal(err)
				}
				if key.Path != tt.path || key.Selector != tt.selector {
					t.Errorf("Find = path %q, selector %q, want %q, %q", key.Path, key.Selector, tt.path, tt.selector)
				}
			}
		})
	}
}

func TestFindAbsolutePathHasOnePlace(t *testing.T) {
	t.Parallel()
	home := tree(t, map[string]string{"etc/example.com/default": rsaPEM})
	pattern := home + "/etc/%/default"
	key, err := keys.Store{Home: "/nonexistent", Control: "control"}.Find(pattern, "example.com")
	if err != nil || key.Path != home+"/etc/example.com/default" {
		t.Errorf("Find = %+v, %v", key, err)
	}
}

func TestFindControlElsewhereIsNamedInFull(t *testing.T) {
	t.Parallel()
	home, control := t.TempDir(), tree(t, map[string]string{"domainkeys/example.com/default": rsaPEM})
	s := keys.Store{Home: home, Control: control}
	key, err := s.Find("domainkeys/%/default", "example.com")
	if want := control + "/domainkeys/example.com/default"; err != nil || key.Path != want {
		t.Errorf("Find = %+v, %v, want path %q", key, err, want)
	}
	if _, err := s.Find("control/domainkeys/%/default", "example.com"); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("Find below control/ = %v, want ErrNoKey: such a path has one place", err)
	}
}

func TestFindListsWhatItTried(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		tried   []string
	}{
		{"control/domainkeys/%/default", []string{"control/domainkeys/other.example/default", "control/domainkeys/default"}},
		{"domainkeys/%/s", []string{"domainkeys/other.example/s", "control/domainkeys/other.example/s", "domainkeys/s", "control/domainkeys/s"}},
		{"control/key", []string{"control/key"}},
		{"/nonexistent/%/s", []string{"/nonexistent/other.example/s", "/nonexistent/s"}},
		{"control/%", []string{"control/other.example"}},
	}
	home := t.TempDir()
	for _, tt := range tests {
		_, err := keys.Store{Home: home, Control: filepath.Join(home, "control")}.Find(tt.pattern, "other.example")
		var missing *keys.NoKeyError
		if !errors.Is(err, keys.ErrNoKey) || !errors.As(err, &missing) || !slices.Equal(missing.Tried, tt.tried) {
			t.Errorf("Find(%q) = %v, want tried %q", tt.pattern, err, tt.tried)
		}
	}
}

func TestFaultsDoNotFallBack(t *testing.T) {
	t.Parallel()
	const path = "control/domainkeys/example.com/default"
	tests := []struct {
		name  string
		files map[string]string
		want  error
	}{
		{"dangling link", map[string]string{path: "-> rsa.private_default"}, keys.ErrDangling},
		{"dangling folder", map[string]string{"control/domainkeys/example.com": "-> moved"}, keys.ErrDangling},
		{"loop", map[string]string{path: "-> default"}, syscall.ELOOP},
		{"folder", map[string]string{path: ""}, syscall.EISDIR},
		{"through a file", map[string]string{"control/domainkeys/example.com": "x"}, syscall.ENOTDIR},
		{"device", map[string]string{path: "-> /dev/null"}, keys.ErrNotFile},
		{"text", map[string]string{path: "selector"}, keys.ErrNotKey},
		{"public key", map[string]string{path: pemOf("PUBLIC KEY", []byte("x"))}, keys.ErrNotKey},
		{"damaged", map[string]string{path: pemOf("RSA PRIVATE KEY", []byte("x"))}, keys.ErrDamaged},
		{"encrypted", map[string]string{path: pemOf("ENCRYPTED PRIVATE KEY", []byte("x"))}, keys.ErrEncrypted},
		{"large", map[string]string{path: strings.Repeat("#", 64<<10) + "\n" + rsaPEM}, keys.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.files["control/domainkeys/default"] = rsaPEM
			s := keys.Store{Home: tree(t, tt.files), Control: "control"}
			key, err := s.Find("control/domainkeys/%/default", "example.com")
			var fault *keys.FaultError
			if !errors.As(err, &fault) || !errors.Is(err, tt.want) || fault.Path != path {
				t.Errorf("Find = %v, %v, want a fault of %s: %v", key, err, path, tt.want)
			}
			if errors.Is(err, keys.ErrNoKey) {
				t.Errorf("Find = %v, which passes for an absent key", err)
			}
		})
	}
}

func TestFIFOIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	home := tree(t, map[string]string{"control": ""})
	must(0, syscall.Mkfifo(home+"/control/key", 0o600))
	done := make(chan error, 1)
	go func() {
		_, err := keys.Store{Home: home}.Find("control/key", "example.com")
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, keys.ErrNotFile) {
			t.Errorf("Find = %v, want %v", err, keys.ErrNotFile)
		}
	case <-time.After(20 * time.Second):
		t.Error("Find waits for a writer of a FIFO")
	}
}

// A forbidden folder does not stop root, so the test looks as another user
// when root runs it.
func TestForbiddenIsAFault(t *testing.T) {
	if home := os.Getenv("KEYS_TEST_HOME"); home != "" {
		_, err := keys.Store{Home: home}.Find("control/%/default", "example.com")
		var fault *keys.FaultError
		if !errors.As(err, &fault) || !errors.Is(err, syscall.EACCES) {
			t.Errorf("Find = %v, want access denied", err)
		}
		return
	}
	home := must(os.MkdirTemp("", "keys"))
	defer os.RemoveAll(home)
	must(0, os.MkdirAll(home+"/control/example.com", 0o700))
	must(0, os.WriteFile(home+"/control/default", []byte(rsaPEM), 0o644))
	must(0, os.Chmod(home+"/control/example.com", 0))
	must(0, os.Chmod(home+"/control", 0o755))
	must(0, os.Chmod(home, 0o755))
	exe := home + "/keys.test" // outside the build's folder, which is root's
	must(0, os.WriteFile(exe, must(os.ReadFile(must(os.Executable()))), 0o755))
	cmd := exec.Command(exe, "-test.run=^TestForbiddenIsAFault$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "KEYS_TEST_HOME="+home)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
	must(0, os.Chmod(home+"/control/example.com", 0o700))
}

func TestFindRefusesWhatIsNoDNSName(t *testing.T) {
	t.Parallel()
	home := tree(t, map[string]string{"secret/default": rsaPEM, "control/default": rsaPEM})
	for _, domain := range []string{"", "..", "../secret", ".", "a..b", "Example.com", "a\x00b", "a/b"} {
		if _, err := (keys.Store{Home: home}).Find("control/%/default", domain); !errors.Is(err, keys.ErrDomain) {
			t.Errorf("Find for domain %q = %v, want %v", domain, err, keys.ErrDomain)
		}
	}
	for _, pattern := range []string{"", "/", "control/a b", "control/..", "control/é"} {
		if _, err := (keys.Store{Home: home}).Find(pattern, "example.com"); !errors.Is(err, keys.ErrSelector) {
			t.Errorf("Find(%q) = %v, want %v", pattern, err, keys.ErrSelector)
		}
	}
}

func TestSecondKeyBesideTheFirst(t *testing.T) {
	t.Parallel()
	s := keys.Store{Home: tree(t, map[string]string{
		"control/a.example/default":         rsaPEM,
		"control/a.example/default-ed25519": ed25519PEM,
		"control/b.example/default":         rsaPEM,
		"control/c.example/default":         rsaPEM,
		"control/c.example/default-ed25519": "-> nothing",
	})}
	second := func(domain string) (*keys.Key, error) {
		first, err := s.Find("control/%/default", domain)
		if err != nil {
			t.Fatal(err)
		}
		return s.Second(first)
	}
	key, err := second("a.example")
	if err != nil || key == nil || key.Selector != "default-ed25519" || key.Algorithm != "ed25519-sha256" {
		t.Errorf("Second = %+v, %v, want the Ed25519 key", key, err)
	}
	if key, err := second("b.example"); key != nil || err != nil {
		t.Errorf("Second without such a file = %v, %v, want nil, nil", key, err)
	}
	if key, err := second("c.example"); !errors.Is(err, keys.ErrDangling) {
		t.Errorf("Second = %v, %v, want %v", key, err, keys.ErrDangling)
	}
}

func TestWorldReadableKeyIsRemarkedOn(t *testing.T) {
	t.Parallel()
	s := keys.Store{Home: tree(t, map[string]string{"control/key": rsaPEM})}
	for mode, want := range map[os.FileMode]string{0o600: "", 0o640: "", 0o644: "world-readable-key"} {
		must(0, os.Chmod(s.Home+"/control/key", mode))
		key, err := s.Find("control/key", "example.com")
		if err != nil || key.Warn != want {
			t.Errorf("Find of a key with mode %o = %+v, %v, want Warn %q", mode, key, err, want)
		}
	}
}

// The fallback is what Find tries when the domain has no key.
func TestFallback(t *testing.T) {
	t.Parallel()
	s := keys.Store{Home: "/h", Control: "/h/ctl"}
	for pattern, want := range map[string]string{
		"control/domainkeys/%/default": "control/domainkeys/default",
		"domainkeys/%/default/":        "domainkeys/default ctl/domainkeys/default",
		"/etc/keys/%.%":                "/etc/keys/.",
		"control/domainkeys/one":       "",
		"control/domainkeys/%":         "",
		"%":                            "",
	} {
		if got := strings.Join(s.Fallback(pattern), " "); got != want {
			t.Errorf("Fallback(%q) = %q, want %q", pattern, got, want)
		}
		if all := strings.Join(s.Paths(strings.TrimRight(pattern, "/"), "example.com"), " "); !strings.HasSuffix(all, want) {
			t.Errorf("Paths(%q) = %q, which does not end in the fallback %q", pattern, all, want)
		}
	}
}
