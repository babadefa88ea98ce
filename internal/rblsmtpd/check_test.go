package rblsmtpd

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"ucspi-go/internal/prog"
)

// A fake is what lists say, by base: words that are A records, "!A" and "!TXT"
// for lookups that fail, and after a | the texts.
type fake struct {
	lists map[string]string

	mu    sync.Mutex
	asked []string
}

func (f *fake) find(kind, name string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, kind+" "+name)
	entry := f.lists[strings.TrimPrefix(name, "4.3.2.1.")]
	if strings.Contains(entry, "!"+kind) {
		return "", errors.New("fails")
	}
	return entry, nil
}

func (f *fake) LookupA(_ context.Context, name string) (addrs []netip.Addr, err error) {
	entry, err := f.find("A", name)
	words, _, _ := strings.Cut(entry, "|")
	for _, word := range strings.Fields(words) {
		if a, err := netip.ParseAddr(word); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs, err
}

func (f *fake) LookupTXT(_ context.Context, name string) ([]string, error) {
	entry, err := f.find("TXT", name)
	_, texts, found := strings.Cut(entry, "|")
	if err != nil || !found {
		return nil, err
	}
	return strings.Split(texts, "|"), nil
}

var lists = map[string]string{
	"listed":   "127.0.0.2|Blocked, see|| http://x/",
	"silent":   "127.0.0.2",
	"mute":     "127.0.0.2 !TXT",
	"empty":    "127.0.0.2||",
	"edge":     "127.255.254.255|edge",
	"text":     "|text alone",
	"code":     "127.255.255.254|Error: open resolver",
	"code0":    "127.255.255.0",
	"codes":    "127.255.255.255 127.255.255.252",
	"mixed":    "127.255.255.254 127.0.0.4 10.0.0.1|mixed",
	"parked":   "192.0.2.80",
	"broken":   "!A !TXT",
	"brokenA":  "!A|text",
	"brokenT":  "!TXT",
	"white":    "127.0.0.1",
	"anywhere": "192.0.2.1",
	"both":     "192.0.2.1 127.255.255.254",
}

// outcome carries out a command line for the client 1.2.3.4.
func outcome(t *testing.T, command string, environ ...string) (seen string, names *fake) {
	t.Helper()
	names = &fake{lists: lists}
	var faults []string
	c := &check{client: parseClient("1.2.3.4"), names: names, fault: func(list, answer string) {
		faults = append(faults, " fault="+list+","+answer)
	}}
	c.preset(&prog.Env{Environ: environ})
	var o options
	program, err := o.carryOut(t.Context(), append(strings.Fields(command), "smtpd", "arg"), c)
	if err != nil || !slices.Equal(program, []string{"smtpd", "arg"}) {
		t.Fatalf("%s: program %q, %v", command, program, err)
	}
	if seen = "accept"; c.blocked() {
		seen = c.message()
	}
	return seen + strings.Join(faults, ""), names
}

func TestLists(t *testing.T) {
	t.Parallel()
	const listed, temporary = "Blocked, see http://x/", "451 temporary RBL lookup error"
	for _, tt := range []struct{ command, want string }{
		{"", "accept"},
		{"-r none", "accept"},
		{"-r listed", "451 " + listed},
		{"-r none -r listed", "451 " + listed},
		{"-b -r listed", "553 " + listed},
		{"-r listed -b", "451 " + listed},
		{"-b -B -r listed", "451 " + listed},
		{"-r none -b -r listed", "553 " + listed},
		{"-r silent -r listed", "451 1.2.3.4 is listed by silent"},
		{"-r mute", "451 1.2.3.4 is listed by mute"},
		{"-bc -r mute", "553 1.2.3.4 is listed by mute"},
		{"-r empty", "451 1.2.3.4 is listed by empty"},
		{"-r edge", "451 edge"},
		{"-r mixed", "451 mixed"},
		{"-r text", "accept"},

		// what lists nobody
		{"-r code", "accept fault=code,127.255.255.254"},
		{"-c -r code", "accept fault=code,127.255.255.254"},
		{"-r code0 -b -r listed", "553 " + listed + " fault=code0,127.255.255.0"},
		{"-r codes -r parked", "accept fault=codes,127.255.255.252 fault=parked,192.0.2.80"},

		// failure
		{"-r broken", "accept"},
		{"-r brokenA", "accept"},
		{"-r brokenT", "accept"},
		{"-c -r broken", temporary},
		{"-c -r brokenA", temporary},
		{"-c -r brokenT", "accept"},
		{"-c -C -r broken", "accept"},
		{"-r broken -c", "accept"},
		{"-b -c -r broken", temporary},
		{"-b -r broken -r listed", "451 " + listed},

		// a text of our own
		{"-r listed:Blocked_%IP%,_ask_for_%IP%:%ip%%", "451 Blocked_1.2.3.4,_ask_for_1.2.3.4:%ip%%"},
		{"-r silent:x", "451 x"},
		{"-r mute:x", "451 x"},
		{"-r listed:", "451 " + listed},
		{"-r none:x", "accept"},
		{"-r code:x", "accept fault=code,127.255.255.254"},
		{"-c -r broken:x", temporary},
		{"-r :x", "accept"},

		// lists of the accepted
		{"-a white -r listed", "accept"},
		{"-a anywhere -r listed", "accept"},
		{"-a both -r listed", "accept"},
		{"-a text -r listed", "451 " + listed},
		{"-a none -b -r listed", "553 " + listed},
		{"-r listed -a white", "451 " + listed},
		{"-a code -r none", "accept fault=code,127.255.255.254"},
		{"-a code -b -r listed", "451 " + listed + " fault=code,127.255.255.254"},
		{"-a broken -r listed", "accept"},
		{"-c -a broken -b -r listed", "451 " + listed},
		{"-a white:x -r listed", "451 " + listed},

		// -T: as C
		{"-T -r listed", "451 " + listed},
		{"-T -r text", "451 text alone"},
		{"-bT -r text", "553 text alone"},
		{"-T -r silent", "accept"},
		{"-T -r empty", "accept"},
		{"-T -r code", "451 Error: open resolver"},
		{"-T -r listed:x", "accept"},
		{"-T -a code -r listed", "accept"},
		{"-r text -T", "accept"},
		{"-T -r brokenT", "accept"},
		{"-cT -r brokenT", temporary},
		{"-cT -r brokenA", "451 text"},
	} {
		if got, _ := outcome(t, tt.command); got != tt.want {
			t.Errorf("rblsmtpd %s: %s; want %s", tt.command, got, tt.want)
		}
	}
}

// A list is asked when its option is met, and only for a client that is
// undecided.
func TestQuestions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ command, environ, want string }{
		{"-r listed -r none -a white", "X=", "A 4.3.2.1.listed,TXT 4.3.2.1.listed"},
		{"-r silent:x", "X=", "A 4.3.2.1.silent"},
		{"-a none -a white -r listed", "X=", "A 4.3.2.1.none,A 4.3.2.1.white"},
		{"-T -r none -r a:b", "X=", "TXT 4.3.2.1.a:b,TXT 4.3.2.1.none"},
		{"-r listed", "RBLSMTPD=", ""},
		{"-r listed -a white", "RBLSMTPD=x", ""},
	} {
		_, names := outcome(t, tt.command, tt.environ)
		names.mu.Lock()
		slices.Sort(names.asked)
		if got := strings.Join(names.asked, ","); got != tt.want {
			t.Errorf("rblsmtpd %s: asks %q, want %q", tt.command, got, tt.want)
		}
		names.mu.Unlock()
	}
}

func TestPreset(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 201)
	for value, want := range map[string]string{
		"RBLSMTPD=":             "accept",
		"RBLSMTPD=no":           "451 no",
		"RBLSMTPD=-no":          "553 no",
		"RBLSMTPD=-":            "553 ",
		"RBLSMTPD=--":           "553 -",
		"RBLSMTPD=%IP% a\tb\n~": "451 %IP% a?b?~",
		"RBLSMTPD=\x7fé\x00":    "451 ????",
		"RBLSMTPD=" + long:      "451 " + long[:200],
		"RBLSMTPD=-" + long:     "553 " + long[:200],
		"OTHER=x":               "451 Blocked, see http://x/",
	} {
		if got, _ := outcome(t, "-r listed -B", value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args  []string
		fault string
	}{
		{nil, ""},
		{[]string{"-b"}, ""},
		{[]string{"-R", "x"}, "illegal option -- R"},
		{[]string{"-bZ", "x"}, "illegal option -- Z"},
		{[]string{"-r"}, "option requires an argument -- r"},
		{[]string{"-t", "5", "--"}, ""},
	} {
		var o options
		_, err := o.carryOut(t.Context(), tt.args, &check{names: &fake{}})
		var e *prog.Error
		if !errors.As(err, &e) || e.Code != 100 || e.Fault != tt.fault || e.What != usage {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.fault)
		}
	}
}
