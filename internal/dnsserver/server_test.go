package dnsserver_test

import (
	"context"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/dnsserver"
)

func start(t *testing.T, zone string) (*dns.Resolver, *dnsserver.Server) {
	t.Helper()
	z, err := dnsserver.ParseZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dnsserver.Start(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return dns.New(func(string) (string, bool) { return s.Addr(), true }), s
}

func TestParseZoneRefuses(t *testing.T) {
	for _, zone := range []string{
		"name", "name SOA ns.example", "name a 192.0.2.1", "name A 2001:db8::1", "name AAAA 192.0.2.1", "name A", "name A x",
		"name MX mail.example", "name MX 70000 mail.example", "name SERVFAIL x", "name SHORT SOA", "name IN",
		strings.Repeat("x", 64) + " A 192.0.2.1", "name PTR " + strings.Repeat("x", 64),
	} {
		_, err := dnsserver.ParseZone("# fine\n\n" + zone + "\n")
		if err == nil || !strings.HasPrefix(err.Error(), "dnsserver: line 3: ") {
			t.Errorf("ParseZone(%.20q) = %v", zone, err)
		}
	}
}

func TestText(t *testing.T) {
	long := strings.Repeat("0123456789", 60)
	r, _ := start(t, `
plain.example TXT v=DKIM1; k=rsa; p=abc
key.example. IN TXT ("v=DKIM1; k=rsa; " "p=abc")
none.example TXT
long.example	TXT	`+long+"\r\n")
	for name, want := range map[string]string{
		"plain.example": "v=DKIM1; k=rsa; p=abc",
		"key.example":   "v=DKIM1; k=rsa; p=abc",
		"none.example":  "",
		"long.example":  long,
	} {
		got, err := r.LookupTXT(t.Context(), name)
		if err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("LookupTXT(%s) = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestFaults(t *testing.T) {
	r, s := start(t, `
h A 192.0.2.1
h TXT text
h TIMEOUT TXT
h NXDOMAIN A 2
* A 192.0.2.2
`)
	for i, want := range []int{0, 0, 1, 1} {
		if got, err := r.LookupA(t.Context(), "h"); err != nil || len(got) != want {
			t.Errorf("LookupA %d = %v, %v, want %d", i, got, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, err := r.LookupTXT(ctx, "h"); err == nil {
		t.Errorf("LookupTXT = %v, want a timeout", got)
	}
	got, err := r.LookupA(t.Context(), "any.thing")
	if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr("192.0.2.2")}) {
		t.Errorf("LookupA of a name without a line = %v, %v", got, err)
	}
	want := []string{"udp 1 h", "udp 1 h", "udp 1 h", "udp 1 h", "udp 16 h", "udp 1 any.thing"}
	if got := s.Queries(); !slices.Equal(got, want) {
		t.Errorf("queries %q, want %q", got, want)
	}
}

// Over TCP a server may close, stop within an answer, send it slowly, twice or
// as one that did not fit, or not be there.
func TestFaultsOverTCP(t *testing.T) {
	t.Parallel()
	const zone = "h TXT text\nh TRUNCATE\n"
	for fault, want := range map[string]string{
		"DRIP": "text", "TWICE TCP": "text", "SERVFAIL UDP": "temporary failure", "CLOSE": "input/output error",
		"SHORT": "input/output error", "TRUNCATE TCP": "protocol error", "SERVFAIL TCP": "temporary failure",
		"TIMEOUT TCP": "timed out", "refused": "connection refused",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			z, err := dnsserver.ParseZone("h " + fault + "\n" + zone)
			begin := dnsserver.Start
			if fault == "refused" {
				z, err = dnsserver.ParseZone(zone)
				begin = dnsserver.StartWithoutTCP
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := begin(z)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			r := dns.New(func(string) (string, bool) { return s.Addr(), true })
			r.Rounds = []time.Duration{time.Minute}
			if want == "timed out" {
				r.TCPStep = 50 * time.Millisecond
			}
			texts, err := r.LookupTXT(t.Context(), "h")
			got := strings.Join(texts, "|")
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "dns: h: ")
			}
			if got != want {
				t.Errorf("LookupTXT = %q, want %q", got, want)
			}
		})
	}
}

// Questions that are held are answered when all were asked.
func TestHold(t *testing.T) {
	t.Parallel()
	r, s := start(t, "a TXT 1\na HOLD\nb TXT 2\nb HOLD\nc TXT 3\n* TXT 0\n")
	got := make(chan string, 2)
	for _, name := range []string{"a", "b"} {
		go func() {
			texts, err := r.LookupTXT(t.Context(), name)
			if err != nil {
				texts = []string{err.Error()}
			}
			got <- texts[0]
		}()
	}
	for len(s.Queries()) < 2 {
		runtime.Gosched()
	}
	select {
	case text := <-got:
		t.Fatalf("%q before c was asked for", text)
	default:
	}
	if texts, err := r.LookupTXT(t.Context(), "c"); err != nil || texts[0] != "3" {
		t.Fatalf("%q, %v", texts, err)
	}
	answers := []string{<-got, <-got}
	slices.Sort(answers)
	if !slices.Equal(answers, []string{"1", "2"}) {
		t.Errorf("answers %q", answers)
	}
}
