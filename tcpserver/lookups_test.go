package tcpserver_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// Lookups take descriptors too. With as many clients as descriptors, none is
// without its name for want of one: who comes too early waits to be accepted.
func TestLookupsWithFewDescriptors(t *testing.T) {
	t.Parallel()
	const files, asking = 40, 6
	// The name of the clients is held back until somebody asks for the other.
	names := testprog.NameServer(t, "1.0.0.127.in-addr.arpa PTR client.example\n1.0.0.127.in-addr.arpa HOLD\nrelease.example A 127.0.0.1\n* A 127.0.0.1\n", dnsserver.Start)
	s := startShell(t, fmt.Sprintf(`export DNSCACHEIP=%s; ulimit -n %d; exec $TCPSERVER -1 -hpRl0 -c%d 127.0.0.1 0 printenv TCPREMOTEHOST`, names.Addr(), files, files))

	got := make(chan string, files)
	for range files {
		go func() {
			text, err := testprog.Fetch(s.Port, "")
			if err != nil {
				text += err.Error()
			}
			got <- text
		}()
	}
	for end := time.Now().Add(patience); len(names.Queries()) < asking && time.Now().Before(end); {
		runtime.Gosched()
	}
	r := dns.New(func(string) (string, bool) { return names.Addr(), true })
	if _, err := r.LookupA(t.Context(), "release.example"); err != nil {
		t.Fatal(err)
	}
	for range files {
		if text := <-got; text != "client.example\n" {
			t.Errorf("got %q", text)
		}
	}
	if log := stop(t, s); log != "" {
		t.Errorf("log:\n%s", log)
	}
}
