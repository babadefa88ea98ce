package qmaildkim

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ucspi-go/rules"
)

// preflightHome has an RSA and an Ed25519 key, which sign as default and as
// default-ed25519.
func preflightHome(t testing.TB, files ...string) string {
	all := map[string]string{
		"control/domainkeys/example.com/default":         keyPEM(t, rsaKey()),
		"control/domainkeys/example.com/default-ed25519": keyPEM(t, edKey),
		"control/one": keyPEM(t, rsaKey()),
	}
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = files[i+1]
	}
	return newHome(t, all)
}

const (
	keyOfDefault = "default._domainkey.example.com"
	keyOfSecond  = "default-ed25519._domainkey.example.com"
)

// flight signs a message with a zone, in the environment of a relay client.
func flight(t *testing.T, home string, z zone, environ ...string) (string, Report) {
	t.Helper()
	c, err := ConfigFrom(append(rules.Environ{"QMAILHOME=" + home, "RELAYCLIENT="}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	f := &Filter{Config: c, LookupTXT: z.lookupTXT}
	if z == nil {
		f.LookupTXT = nil
	}
	var b bytes.Buffer
	report, err := f.Process(t.Context(), &b, strings.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), report
}

// Each key is judged on its own, and only "unsigned" leaves a signature out.
func TestPreflight(t *testing.T) {
	t.Parallel()
	home := preflightHome(t)
	rsa, ed, other := []string{rsaRecord()}, []string{edRecord()}, []string{"v=DKIM1; k=rsa; p=x"}
	both := zone{keyOfDefault: rsa, keyOfSecond: ed}
	revoked := []string{"v=DKIM1; p="}
	for _, tt := range []struct {
		name    string
		environ string
		zone    zone
		signed  string // selectors
		left    string
		reason  string
		warn    string
	}{
		{"off", "", zone{}, "default default-ed25519", "", "", ""},
		{"both published", "DKIMPREFLIGHT=", both, "default default-ed25519", "", "", ""},
		{"both published, unsigned", "DKIMPREFLIGHT=unsigned", both, "default default-ed25519", "", "", ""},
		{"nothing published", "DKIMPREFLIGHT=log", zone{}, "default default-ed25519", "", "", "key-missing:default key-missing:default-ed25519"},
		{"nothing published, unsigned", "DKIMPREFLIGHT=unsigned", zone{}, "", "default default-ed25519", "key-missing", "key-missing:default key-missing:default-ed25519"},
		{"second missing", "DKIMPREFLIGHT=", zone{keyOfDefault: rsa}, "default default-ed25519", "", "", "key-missing:default-ed25519"},
		{"second missing, unsigned", "DKIMPREFLIGHT=unsigned", zone{keyOfDefault: rsa}, "default", "default-ed25519", "", "key-missing:default-ed25519"},
		{"first differs, unsigned", "DKIMPREFLIGHT=unsigned", zone{keyOfDefault: other, keyOfSecond: ed}, "default-ed25519", "default", "", "key-differs:default"},
		{"keys changed over", "DKIMPREFLIGHT=", zone{keyOfDefault: ed, keyOfSecond: rsa}, "default default-ed25519", "", "", "key-differs:default key-differs:default-ed25519"},
		{"first revoked", "DKIMPREFLIGHT=", zone{keyOfDefault: revoked, keyOfSecond: ed}, "default default-ed25519", "", "", "key-revoked:default"},
		{"both bad, unsigned", "DKIMPREFLIGHT=unsigned", zone{keyOfDefault: revoked, keyOfSecond: rsa}, "", "default default-ed25519", "key-revoked", "key-revoked:default key-differs:default-ed25519"},
		{"trouble", "DKIMPREFLIGHT=", zone{keyOfDefault: nil, keyOfSecond: ed}, "default default-ed25519", "", "", "key-temporary:default"},
		{"trouble, unsigned", "DKIMPREFLIGHT=unsigned", zone{keyOfDefault: nil, keyOfSecond: ed}, "default default-ed25519", "", "", "key-temporary:default"},
		{"trouble and missing, unsigned", "DKIMPREFLIGHT=unsigned", zone{keyOfDefault: nil}, "default", "default-ed25519", "", "key-temporary:default key-missing:default-ed25519"},
		{"no resolver", "DKIMPREFLIGHT=unsigned", nil, "default default-ed25519", "", "", "key-temporary:default key-temporary:default-ed25519"},
		{"typo", "DKIMPREFLIGHT=Unsigned", zone{keyOfDefault: rsa}, "default default-ed25519", "", "", "key-missing:default-ed25519 ignored=DKIMPREFLIGHT"},
		{"one key", "DKIMPREFLIGHT=unsigned;DKIMSIGN=control/one", zone{}, "", "one", "key-missing", "key-missing:one"},
		{"name too long for the DNS", "DKIMPREFLIGHT=unsigned;DKIMDOMAIN=" + strings.Repeat("abcdefghi.", 24) + "example;DKIMSIGN=control/one", zone{}, "", "one", "key-missing", "key-missing:one"},
		{"recipients before the DNS", "DKIMPREFLIGHT=unsigned;DKIMRCPT=@no.example", zone{}, "", "", "rcpt", ""},
		{"no key asked for", "DKIMPREFLIGHT=;DKIMSIGN=", zone{}, "", "", "off", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, r := flight(t, home, tt.zone, strings.Split(tt.environ, ";")...)
			var signed []string
			for _, s := range r.Signed {
				signed = append(signed, s.Selector)
			}
			warn := strings.Join(r.Warn, " ")
			if len(r.Ignored) > 0 {
				warn += " ignored=" + strings.Join(r.Ignored, ",")
			}
			var left []string
			for _, s := range r.LeftOut {
				left = append(left, s.Selector)
			}
			if got := strings.Join(left, " "); got != tt.left {
				t.Errorf("left out %q, want %q", got, tt.left)
			}
			if got := strings.Join(signed, " "); got != tt.signed || r.Reason != tt.reason || warn != tt.warn {
				t.Errorf("signed %q, reason %q, %q; want %q, %q, %q", got, r.Reason, warn, tt.signed, tt.reason, tt.warn)
			}
			if n := strings.Count(out, "DKIM-Signature:"); n != len(signed) || !strings.HasSuffix(out, plain) {
				t.Errorf("%d signatures in\n%s", n, out)
			}
			good(t, out, min(len(signed), 1))
		})
	}
}

// A line of control/dkimkeys may ask for it, for its domains.
func TestPreflightOfDomain(t *testing.T) {
	t.Parallel()
	home := preflightHome(t, "control/dkimkeys", "example.com:control/one:DKIMPREFLIGHT=unsigned\n")
	out, r := flight(t, home, zone{})
	if out != plain || r.Line(1) != "qmail-dkim: unsigned pid=1 from=example.com reason=key-missing warn=key-missing:one\n" {
		t.Errorf("%s%s", r.Line(1), out)
	}
}

// A name server that says nothing takes the budget for all keys together, and
// nothing of the mail.
func TestPreflightBudget(t *testing.T) {
	home := preflightHome(t)
	for environ, want := range map[string]time.Duration{
		"": preflightBudget, "DKIMDNSTIMEOUT=1": time.Second, "DKIMDNSTIMEOUT=5": 5 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			c, err := ConfigFrom(rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=" + defaultKey, "DKIMPREFLIGHT=unsigned", environ})
			if err != nil {
				t.Fatal(err)
			}
			f := &Filter{Config: c, LookupTXT: func(ctx context.Context, _ string) ([]string, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
			began := time.Now()
			var b bytes.Buffer
			r, err := f.Process(t.Context(), &b, strings.NewReader(plain))
			if took := time.Since(began); err != nil || took != want || len(r.Signed) != 2 || len(r.Warn) != 2 {
				t.Errorf("%s: took %v, want %v: %v, %s", environ, took, want, err, r.Line(1))
			}
		})
	}
}

func TestKeepingTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		state string
		ttl   time.Duration
		want  time.Duration
	}{
		{PublishedMatch, 0, time.Minute},
		{PublishedMatch, time.Hour, time.Hour},
		{PublishedMatch, 7 * 24 * time.Hour, 24 * time.Hour},
		{PublishedDiffers, time.Hour, time.Minute},
		{PublishedMissing, 0, time.Minute},
		{PublishedRevoked, time.Hour, time.Minute},
		{PublishedTemporary, 0, time.Minute},
	} {
		if got := keepingTime(tt.state, tt.ttl); got != tt.want {
			t.Errorf("%s, %v: %v, want %v", tt.state, tt.ttl, got, tt.want)
		}
	}
}

// asked is a source of answers that counts its questions.
type asked struct {
	z   zone
	ttl time.Duration
	n   int
}

func (a *asked) lookup(ctx context.Context, name string) ([]string, time.Duration, error) {
	a.n++
	texts, err := a.z.lookupTXT(ctx, name)
	return texts, a.ttl, err
}

// signedBy is what a report says of the signature with the RSA key.
var signedBy = func() []Signed {
	return []Signed{{Domain: "example.com", Selector: "default", Public: rsaKey().Public()}}
}

// An answer is asked for again when its time is over, at a new key, and when
// the clock was wrong; not before.
func TestPublicationsExpire(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1_800_000_000, 0)
	a := &asked{z: zone{keyOfDefault: {rsaRecord()}}, ttl: time.Hour}
	p := &publications{a.lookup, newPublicationCache(t.TempDir())}
	p.cache.now = func() time.Time { return clock }
	step := func(name string, later time.Duration, signed []Signed, state string, n int) {
		t.Helper()
		clock = clock.Add(later)
		before := a.n
		states, err := p.states(t.Context(), signed)
		if err != nil || len(states) != 1 || states[0] != state || a.n-before != n {
			t.Errorf("%s: %q, %v, %d questions; want %s, %d", name, states, err, a.n-before, state, n)
		}
	}
	same := signedBy()
	step("first", 0, same, PublishedMatch, 1)
	step("within the time", time.Hour-time.Second, same, PublishedMatch, 0)
	a.z[keyOfDefault] = []string{"v=DKIM1; p="}
	step("over", time.Second, same, PublishedRevoked, 1)
	step("soon", 59*time.Second, same, PublishedRevoked, 0)
	a.z[keyOfDefault] = nil
	step("over", time.Second, same, PublishedTemporary, 1)
	step("soon", 59*time.Second, same, PublishedTemporary, 0)
	a.z[keyOfDefault] = []string{rsaRecord()}
	step("mended", time.Second, same, PublishedMatch, 1)
	step("another key", time.Second, []Signed{{Domain: "example.com", Selector: "default", Public: edKey.Public()}}, PublishedDiffers, 1)
	step("the first again", 0, same, PublishedMatch, 1)
	step("clock set back", -25*time.Hour, same, PublishedMatch, 1)
	step("after that", time.Second, same, PublishedMatch, 0)
}

// Of two keys only that one is asked for that is not known.
func TestPublicationsAskForTheRest(t *testing.T) {
	t.Parallel()
	a := &asked{z: zone{keyOfDefault: {rsaRecord()}}, ttl: time.Hour}
	p := &publications{a.lookup, newPublicationCache(t.TempDir())}
	if _, err := p.states(t.Context(), signedBy()); err != nil {
		t.Fatal(err)
	}
	both := append(signedBy(), Signed{Domain: "example.com", Selector: "default-ed25519", Public: edKey.Public()})
	for _, want := range []int{2, 2} { // the second is kept as well
		states, err := p.states(t.Context(), both)
		if err != nil || a.n != want || states[0] != PublishedMatch || states[1] != PublishedMissing {
			t.Errorf("%q, %v after %d questions, want %d", states, err, a.n, want)
		}
	}
}

// Trouble with the file costs a question, and no state.
func TestPublicationsWithoutCache(t *testing.T) {
	t.Parallel()
	a := &asked{z: zone{keyOfDefault: {rsaRecord()}}, ttl: time.Hour}
	p := &publications{a.lookup, newPublicationCache(t.TempDir() + "/missing")}
	for n := 1; n < 3; n++ {
		states, err := p.states(t.Context(), signedBy())
		if err == nil || states[0] != PublishedMatch || a.n != n {
			t.Errorf("%q, %v, %d questions", states, err, a.n)
		}
	}
}
