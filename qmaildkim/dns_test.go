package qmaildkim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// TestDNSTrouble has the real qmail-dkim verify a good message while the
// server of its key misbehaves: each time there is a letter within the time
// given, and the message goes on as it came. In the zones @ is the key's name.
func TestDNSTrouble(t *testing.T) {
	t.Parallel()
	key := "@ TXT " + edRecord() + "\n"
	chain := func(n int) string { // @ leads by n aliases to key
		zone := "@ CNAME c1.example.com\n"
		for i := 1; i < n; i++ {
			zone += fmt.Sprintf("c%d.example.com CNAME c%d.example.com\n", i, i+1)
		}
		return zone + strings.Replace(key, "@", fmt.Sprintf("c%d.example.com", n), 1)
	}
	const brief, long = "1", "" // DKIMDNSTIMEOUT: where no answer comes, and where one does
	for _, test := range []struct {
		name    string
		zone    string
		timeout string
		letter  string
	}{
		{"answers", key, long, "A"},
		{"answers twice", key + "@ TWICE", long, "A"},
		{"answers something else first", key + "@ WRONGID", long, "A"},
		{"fails once", key + "@ SERVFAIL 1", long, "A"},
		{"fails", key + "@ SERVFAIL", brief, "P"},
		{"refuses", key + "@ REFUSED", brief, "P"},
		{"does not know how", key + "@ NOTIMP", brief, "P"},
		{"finds the query malformed", key + "@ FORMERR", brief, "P"},
		{"says nothing", key + "@ TIMEOUT", brief, "P"},
		{"does not know the name", "example.com TXT x", long, "Q"},
		{"does not know the type", "@ A 192.0.2.1", long, "Q"},
		{"says NXDOMAIN with the record there", key + "@ NXDOMAIN", long, "Q"},
		{"cuts, TCP", key + "@ TRUNCATE", long, "A"},
		{"cuts, TCP drips", key + "@ TRUNCATE\n@ DRIP", long, "A"},
		{"cuts, TCP answers twice", key + "@ TRUNCATE\n@ TWICE TCP", long, "A"},
		{"cuts, TCP refused", key + "@ TRUNCATE", long, "P"},
		{"cuts, TCP closes", key + "@ TRUNCATE\n@ CLOSE", long, "P"},
		{"cuts, TCP stops within", key + "@ TRUNCATE\n@ SHORT", long, "P"},
		{"cuts, TCP cuts too", key + "@ TRUNCATE\n@ TRUNCATE TCP", long, "P"},
		{"cuts, TCP fails", key + "@ TRUNCATE\n@ SERVFAIL TCP", long, "P"},
		{"cuts, TCP says nothing", key + "@ TRUNCATE\n@ TIMEOUT TCP", brief, "P"},
		{"alias", chain(1), long, "A"},
		{"eight aliases", chain(8), long, "A"},
		{"alias of itself", "@ CNAME @", long, "Q"},
		{"loop of aliases", "@ CNAME a.example.com\na.example.com CNAME b.example.com\nb.example.com CNAME @", long, "Q"},
		{"alias of nothing", "@ CNAME none.example.com", long, "Q"},
		{"two records", key + key, long, "L"},
		{"a thousand records", strings.Repeat("@ TXT v=DKIM1\n", 1000), long, "L"},
		{"three thousand bytes, good", strings.Replace(key, "v=DKIM1;", "v=DKIM1; n="+strings.Repeat("x", 3000)+";", 1), long, "A"},
		{"64 KiB", strings.Replace(key, "v=DKIM1;", "v=DKIM1; n="+strings.Repeat("x", 65000)+";", 1), long, "O"},
		{"64 KiB of semicolons", "@ TXT " + strings.Repeat(";", 65000), long, "O"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			start := dnsserver.Start
			if strings.HasSuffix(test.name, "TCP refused") {
				start = dnsserver.StartWithoutTCP
			}
			addr := testprog.NameServer(t, strings.ReplaceAll(test.zone, "@", keyOfEd), start).Addr()
			msg := craft("d=example.com")
			began := time.Now()
			r := runDKIM(t, msg, "", "DNSCACHEIP="+addr, "DKIMDNSTIMEOUT="+test.timeout)
			if r.result() != test.letter || r.below != msg {
				t.Errorf("%s, want %s; queued below the new fields:\n%s", r.log, test.letter, r.below)
			}
			// The resolver by itself would try for 59 seconds.
			if took := time.Since(began); test.timeout == brief && took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// signatures returns a message with n good signatures, of the selectors k1 to
// kn, and their zone, each key with these faults.
func signatures(n int, faults ...string) (msg, zone string) {
	for i := 1; i <= n; i++ {
		selector := fmt.Sprintf("k%d", i)
		field, rest, _ := strings.Cut(craftAs(selector, "d=example.com"), "\n")
		if i == n {
			msg += field + "\n" + rest
		} else {
			msg += field + "\n"
		}
		name := selector + "._domainkey.example.com "
		zone += name + "TXT " + edRecord() + "\n"
		for _, fault := range faults {
			zone += name + fault + "\n"
		}
	}
	return msg, zone
}

// TestLookupsAtTheSameTime: no key is told before all were asked for.
func TestLookupsAtTheSameTime(t *testing.T) {
	t.Parallel()
	msg, zone := signatures(maxSignatures, "HOLD")
	r := runDKIM(t, msg, "", "DNSCACHEIP="+testprog.NameServer(t, zone, dnsserver.Start).Addr())
	if r.result() != "A" || strings.Count(r.fields, "DKIM-Status: good") != 1 || r.below != msg {
		t.Errorf("%s%s", r.log, r.fields)
	}
}

// TestLookupTimeOfAMessage has the real time: it is that of all signatures
// together.
func TestLookupTimeOfAMessage(t *testing.T) {
	t.Parallel()
	msg, zone := signatures(maxSignatures, "TIMEOUT")
	addr := testprog.NameServer(t, zone, dnsserver.Start).Addr()
	start := time.Now()
	r := runDKIM(t, msg, "", "DNSCACHEIP="+addr)
	if took := time.Since(start); took < lookupBudget || took > 4*lookupBudget {
		t.Errorf("took %v, want %v", took, lookupBudget)
	}
	if r.result() != "P" || r.below != msg {
		t.Error(r.log)
	}
}

func TestLookupTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 0, "1": time.Second, "600": 10 * time.Minute, "601": 0, "0": 0, "-1": 0, "1s": 0, "99999999999999999999": 0,
	} {
		c, err := ConfigFrom([]string{"DKIMDNSTIMEOUT=" + text})
		if err != nil || c.LookupTime != want {
			t.Errorf("DKIMDNSTIMEOUT=%q: %v, %v; want %v", text, c.LookupTime, err, want)
		}
	}
}
