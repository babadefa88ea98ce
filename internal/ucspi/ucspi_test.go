package ucspi_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

func TestSafe(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for in, want := range map[string]string{
		"":              "",
		"mail.example":  "mail.example",
		"a b\tc\nd\x00": "a?b?c?d?",
		"100%:é\x7f~":   "100?????~",
		long[:99]:       long[:99],
		long:            long + "...",
		long + "yz":     long + "...",
	} {
		if got := ucspi.Safe(in); got != want {
			t.Errorf("Safe(%q) = %q, want %q", in, got, want)
		}
	}
}

func facts(host, info *string) ucspi.Facts {
	return ucspi.Facts{
		Local:      netip.MustParseAddrPort("10.0.0.1:25"),
		Remote:     netip.MustParseAddrPort("10.0.0.2:4711"),
		RemoteHost: host,
		RemoteInfo: info,
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	empty, host := "", "client.example"
	inherited := rules.Environ{"A=1", "TCPREMOTEHOST=liar", "TCPREMOTEINFO=x", "TCPREMOTEHOST=twice", "TCPLOCALHOST=l", "PROTO=UDP"}
	base := ucspi.Clear(inherited)
	if !slices.Equal(base, rules.Environ{"A=1"}) {
		t.Errorf("Clear = %q, want every copy of the names gone", base)
	}
	common := rules.Environ{"A=1", "PROTO=TCP", "TCPLOCALIP=10.0.0.1", "TCPLOCALPORT=25", "TCPREMOTEIP=10.0.0.2", "TCPREMOTEPORT=4711"}
	if got := facts(nil, nil).Append(base); !slices.Equal(got, common) {
		t.Errorf("Append = %q, want %q", got, common)
	}
	want := append(slices.Clone(common), "TCPREMOTEHOST=client.example", "TCPREMOTEINFO=")
	if got := facts(&host, &empty).Append(base); !slices.Equal(got, want) {
		t.Errorf("Append = %q, want %q", got, want)
	}
}

func TestAppendIPv6(t *testing.T) {
	t.Parallel()
	host, info := "client.example", "joe"
	f := facts(&host, &info)
	f.Local, f.Remote = netip.MustParseAddrPort("[fe80::1%eth0]:25"), netip.MustParseAddrPort("[fe80::2%eth0]:4711")
	want := rules.Environ{
		"A=1", "PROTO=TCP6",
		"TCPLOCALIP=fe80::1", "TCPLOCALPORT=25", "TCPREMOTEIP=fe80::2", "TCPREMOTEPORT=4711", "TCPREMOTEHOST=client.example", "TCPREMOTEINFO=joe",
		"TCP6LOCALIP=fe80::1", "TCP6LOCALPORT=25", "TCP6REMOTEIP=fe80::2", "TCP6REMOTEPORT=4711", "TCP6REMOTEHOST=client.example", "TCP6REMOTEINFO=joe",
		"TCP6INTERFACE=eth0",
	}
	got := f.Append(rules.Environ{"A=1"})
	if !slices.Equal(got, want) {
		t.Errorf("Append = %q, want %q", got, want)
	}
	if base := ucspi.Clear(got); !slices.Equal(base, rules.Environ{"A=1"}) {
		t.Errorf("Clear = %q, want nothing left of a connection", base)
	}
	if got, want := f.Line(), ":fe80::1:25 client.example:fe80::2:joe:4711"; got != want {
		t.Errorf("Line = %q, want %q", got, want)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	host, info := "odd%name", "a:b"
	if got, want := facts(nil, nil).Line(), ":10.0.0.1:25 :10.0.0.2::4711"; got != want {
		t.Errorf("Line = %q, want %q", got, want)
	}
	if got, want := facts(&host, &info).Line(), ":10.0.0.1:25 odd?name:10.0.0.2:a?b:4711"; got != want {
		t.Errorf("Line = %q, want %q", got, want)
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "a %:~": "a %:~", "\x00\t\x7f\xff": `\x00\x09\x7f\xff`, "ä": `\xc3\xa4`} {
		if got := ucspi.Escape(text); got != want {
			t.Errorf("Escape(%q) = %q, want %q", text, got, want)
		}
	}
}
