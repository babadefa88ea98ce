package rulesdiff

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// compile returns the database that tcprules makes of a text.
func compile(t testing.TB, text string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rules.cdb")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := rules.CompileText(strings.NewReader(text), f); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t testing.TB, text string) *rules.DB {
	t.Helper()
	set, err := rules.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	db, err := set.DB()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// sides returns two texts, each as text or as what it compiles to.
func sides(t testing.TB, before, after string, compiled bool) (a, b *side) {
	t.Helper()
	all := make(effects)
	load := func(text string) *side {
		var s *side
		var err error
		if compiled {
			s, err = loadDatabase("test", compile(t, text), all)
		} else {
			s, err = loadText([]byte(text), all)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return load(before), load(after)
}

func tellAll(t testing.TB, before, after string, compiled bool) string {
	t.Helper()
	a, b := sides(t, before, after, compiled)
	var out strings.Builder
	for _, c := range compare(a, b) {
		out.WriteString(c.tell(a.addressless() && b.addressless()))
	}
	return out.String()
}

// What is told of two sets of rules, which is the same when they are compiled.
var tellings = []struct{ before, after, want string }{
	{"", "", ""},
	{"", ":allow\n", ""},
	{":allow\n", "# another\n=:allow\n127.:allow\njoe@1.2.3.4:allow\n", ""},
	{"10.0-3.:deny\n", "10.3.:deny\n10.2.:deny\n10.0-1.:deny\n", ""},
	{"1.2.3.4:deny\n", "1.2.3.4:deny\n1.2.3.4:allow\n", ""},
	{"1.2.3.4:deny\n", "1.2.3.4:deny,RELAYCLIENT=\"\"\n", ""},
	{":allow,A='1',B='2'\n", ":allow,A='3',B='2',A='1'\n", ""},
	{"10.:deny\n", "10.:deny\n10.1.:deny\n10.1.2.3:deny\n", ""},
	{"10.:deny\n", "10.0-255.:deny\n", ""},
	{":deny\n", "0-255.:deny\n=:deny\n", ""},
	{"1.2.3:deny\n", "=A.example:deny\n1.2.3.4 :deny\njoe@1.:deny\n", ""}, // that nobody has

	{"", ":deny\n", "denied    everybody\n"},
	{":deny\n", "", "allowed   everybody\n"},
	{"", ":allow,RELAYCLIENT=''\n", "relay on  everybody: +RELAYCLIENT=\"\"\n"},
	{"127.:allow,RELAYCLIENT=''\n", "127.:allow,RELAYCLIENT=''\n:deny\n", "denied    everybody else\n"},
	{"192.0.2.1:allow,RELAYCLIENT=''\n", "192.0.2.1:allow,DKIMVERIFY='F'\n", "relay off 192.0.2.1: +DKIMVERIFY=\"F\" -RELAYCLIENT=\"\"\n"},
	{"192.0.2.1:allow,RELAYCLIENT=''\n", "192.0.2.1:deny\n", "denied    192.0.2.1: -RELAYCLIENT\n"},
	{"192.0.2.1:deny\n", "192.0.2.1:allow,RELAYCLIENT=''\n", "relay on  192.0.2.1: +RELAYCLIENT=\"\"\n"},
	{"10.0-3.:allow,A='1'\n", "10.0-3.:allow,A='2'\n", "changed   10.0-3.: A=\"1\"->\"2\"\n"},
	{"10.0-3.:deny\n", "10.0.:deny\n10.1.:allow\n10.3.:deny\n", "allowed   10.1-2.\n"},
	{"", "10.0.0.5-9:deny\n10.0.0.10:deny\n", "denied    10.0.0.5-10\n"},
	{"10.:allow\n10.0.0.7:allow\n", "10.:deny\n10.0.0.7:allow\n", "denied    10.0.0.0-6\ndenied    10.0.0.8 to 10.255.255.255\n"},
	{"10.0.0.1:allow,A=''\n", "10.0.0.1:allow,A='a\x7f'\n", "changed   10.0.0.1: A=\"\"->\"a\\x7f\"\n"},
	{ // a rule of which longer ones cut out much
		"10.:allow\n10.1.:deny\n10.3.:deny\n10.5.:deny\n10.7.:deny\n10.9.:deny\n", "10.:allow,A='1'\n10.1.:deny\n10.3.:deny\n10.5.:deny\n10.7.:deny\n10.9.:deny\n",
		"changed   10. apart from longer rules: +A=\"1\"\n",
	},
	{"=a.example:allow,RELAYCLIENT=''\n", "", "relay off =a.example: -RELAYCLIENT=\"\"\n"},
	{"=.example:deny\n", "=.example:deny\n=a.example:allow\n", "allowed   =a.example\n"},
	{"=:allow\n:deny\n", ":deny\n", "denied    =\n"},
	{ // the name where another rule is for the address
		"=a.example:allow,RELAYCLIENT=''\n10.:deny\n", "10.:deny\n",
		"relay off =a.example: -RELAYCLIENT=\"\"\ndenied    =a.example at 10.: -RELAYCLIENT\n",
	},
	{ // from a name to its address
		"=a.example:allow,RELAYCLIENT=''\n", "192.0.2.1:allow,RELAYCLIENT=''\n",
		"relay on  192.0.2.1: +RELAYCLIENT=\"\"\nrelay off =a.example: -RELAYCLIENT=\"\"\n",
	},
	{"joe@1.2.3.4:deny\n", "joe@1.2.3.4:allow\n", "allowed   joe@1.2.3.4\n"},
	{"joe@=a.example:deny\n", "", "allowed   joe@=a.example\n"},
	{"joe@1.2.3.4:deny\n=a.example:allow,A='1'\n", "=a.example:allow,A='1'\n", "allowed   joe@1.2.3.4\nallowed   joe@1.2.3.4 named =a.example: +A=\"1\"\n"},
	{"10.0.0.0/8:deny\n", "10.:deny\n", ""},
	{"10.0.0.0/9:deny\n10.128/9:deny\n", "10/8:deny\n", ""},
	{"0/0:deny\n::/0:deny\n", "128/1:deny\n0/1:deny\n8000::/1:deny\n::/1:deny\n", ""},
	{"10.0.0.0/8:deny\n", "10.0.0.0/8:deny\n10.1.0.0/16:allow\n", "allowed   10.1.\n"},
	{"", "10.1.2.0/23:deny\n", "denied    10.1.2-3.\n"},
	{"10.0.0.0/8:allow\n=a.example:allow\n", "10.0.0.0/8:deny\n=a.example:allow\n", "denied    10.\n"},
	{"0/0:deny\n", ":deny\n", "denied    everybody else with an IPv6 address\n"},
	{"0-255.:deny\n", ":deny\n", ""}, // to ucspi-tcp 0.88 all addresses are these
	{"2001:DB8::1:deny\n", "2001:db8:0::1:allow\n", "allowed   2001:db8::1\n"},
	{"2001:db8::/32:deny\n", "2001:db8:::deny\n2001:db8::deny\n2001:db8::/31:allow\n", ""},
	{"2001:db8::/32:deny\n", "2001:db8::/32:allow,RELAYCLIENT=''\n2001:db8:1::/48:deny\n", "relay on  2001:db8::/32 apart from longer rules: +RELAYCLIENT=\"\"\n"},
	{"2001::deny\n", "2001:db8:1::/48:deny\n", "allowed   2001: apart from longer rules\n"},
	{"2001::allow\n:deny\n", "2001:db8:1::/48:allow,A=''\n", "allowed   everybody else\nchanged   2001:db8:1::/48 apart from longer rules: +A=\"\"\n"},
	{"joe@::1:deny\n", "::1:allow,A=''\n", "allowed   joe@::1: +A=\"\"\nchanged   ::1: +A=\"\"\n"},
	{ // the most important first
		"1.2.3.1:allow,RELAYCLIENT=''\n1.2.3.2:allow\n1.2.3.3:deny\n1.2.3.4:allow\n1.2.3.5:allow\n",
		"1.2.3.1:allow\n1.2.3.2:deny\n1.2.3.3:allow\n1.2.3.4:allow,A=''\n1.2.3.5:allow,RELAYCLIENT=''\n",
		"relay on  1.2.3.5: +RELAYCLIENT=\"\"\nrelay off 1.2.3.1: -RELAYCLIENT=\"\"\ndenied    1.2.3.2\nallowed   1.2.3.3\nchanged   1.2.3.4: +A=\"\"\n",
	},
}

func TestTell(t *testing.T) {
	t.Parallel()
	for _, tt := range tellings {
		for _, compiled := range []bool{false, true} {
			if got := tellAll(t, tt.before, tt.after, compiled); got != tt.want {
				t.Errorf("compiled %v, %q to %q:\n%swant\n%s", compiled, tt.before, tt.after, got, tt.want)
			}
		}
	}
}

func TestNotation(t *testing.T) {
	t.Parallel()
	for want, i := range map[string]interval{
		"0.0.0.0": {}, "255.255.255.255": {1<<32 - 1, 1<<32 - 1}, "everybody": {0, 1<<32 - 1},
		"10.": {10 << 24, 11<<24 - 1}, "10-11.": {10 << 24, 12<<24 - 1}, "10.0-3.": {10 << 24, 10<<24 + 4<<16 - 1},
		"10.0.0.0-254": {10 << 24, 10<<24 + 254}, "10.0.0.1-255": {10<<24 + 1, 10<<24 + 255}, "10.0.0.1 to 10.0.1.0": {10<<24 + 1, 10<<24 + 256},
	} {
		if got := notation(i); got != want {
			t.Errorf("notation(%v) = %q, want %q", i, got, want)
		}
	}
}

// All clients that random rules can tell apart, and some more.
var (
	universeIP   = strings.Fields("0.0.0.0 0.9.9.9 1.0.0.0 1.1.255.255 1.2.0.0 1.2.2.2 1.2.3.0 1.2.3.1 1.2.3.2 1.2.3.3 1.2.3.4 1.2.3.9 1.2.3.200 1.2.9.9 1.3.0.0 1.9.0.0 2.2.2.2 2.2.9.9 2.9.9.9 3.0.0.1 255.255.255.255")
	universeName = []string{"-", ".", "b", "c", "a.b", "x.a.b", "x.b", "a.c", "x.y.c"}
	universeInfo = []string{"-", "", "j", "k"}
)

func known(s string) *string {
	if s == "-" {
		return nil
	}
	return &s
}

// randomRules returns rules for those clients.
func randomRules(random *rand.Rand, n int) string {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	var b strings.Builder
	for range n {
		switch random.IntN(12) {
		case 0, 1, 2:
			b.WriteString("1.2.3." + pick("0", "1", "2", "3", "4", "1-2", "0-3", "2-9", "0-255"))
		case 3, 4:
			b.WriteString(pick("1.", "1.2.", "1.2.3.", "0-1.", "1.2-3.", "1.1-2.", "2.", "0-255.", "1-2.2.", "1.2.2-3."))
		case 5, 6:
			b.WriteString(pick("=b", "=a.b", "=.b", "=.a.b", "=", "=.", "=c", "=.c"))
		case 7:
			b.WriteString(pick("j@", "@", "k@") + pick("1.2.3.1", "1.2.3.4", "2.2.2.2"))
		case 8:
			b.WriteString(pick("j@", "@") + pick("=b", "=a.b", "=x.b", "=."))
		case 9:
			b.WriteString(pick("1.2/16", "1.2.3.0/24", "1.2.3.0/30", "1.2.3.2/31", "0/0", "1.2.3.4/32", "128/1", "2/8", "1.2/15"))
		case 10:
			b.WriteString(pick("1.2", "=A.b", " 1.2.3.1", "j@1.", "j@=", "1.2.3.9-4")) // that nobody has
		}
		b.WriteString(pick(":allow\n", ":deny\n", ":deny,A='1'\n", ":allow,RELAYCLIENT=''\n", ":allow,A='1'\n", ":allow,A='2',A='1'\n", ":allow,A='2'\n"))
	}
	return b.String()
}

// doing is what a lookup says, as one word.
func doing(deny bool, vars []rules.Var) string {
	if deny {
		return "deny"
	}
	var b strings.Builder
	for _, v := range vars {
		b.WriteString(" " + v.String())
	}
	return b.String()
}

// A client of the universe with what a lookup on each side says.
type client struct {
	ip                 string
	name, info         *string
	before, after      string
	oldKind, newKind   rules.Kind
	address            uint32
	longestName, exact string // of both sides' rules for names the longest for this one, and the one for it alone
}

func clients(t testing.TB, before, after string, more []string) (all []client) {
	t.Helper()
	old, now := open(t, before), open(t, after)
	lookup := func(db *rules.DB, c rules.Client) (string, rules.Kind) {
		d, err := db.Lookup(c)
		if err != nil {
			t.Fatal(err)
		}
		return doing(d.Deny, d.Settings()), rules.KindOf(d.Key)
	}
	longestOf := make(map[string]string)
	for _, name := range universeName[1:] {
		longestOf[name] = longest(t, old, now, name)
	}
	for _, ip := range slices.Concat(universeIP, more) {
		for _, name := range universeName {
			for _, info := range universeInfo {
				c := client{ip: ip, name: known(name), info: known(info)}
				c.address, _ = address(ip)
				c.before, c.oldKind = lookup(old, rules.Client{IP: ip, Host: c.name, Info: c.info})
				c.after, c.newKind = lookup(now, rules.Client{IP: ip, Host: c.name, Info: c.info})
				if c.name != nil {
					c.exact = "=" + name
					c.longestName = longestOf[name]
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// longest returns the key of the longest rule for a name, of both sides.
func longest(t testing.TB, a, b *rules.DB, name string) string {
	t.Helper()
	best := "none"
	d, err := open(t, "nothing:deny\n").Lookup(rules.Client{IP: "", Host: &name})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Backward(d.Tried) {
		for _, db := range []*rules.DB{a, b} {
			if found, err := db.Has(key); err != nil {
				t.Fatal(err)
			} else if found && strings.HasPrefix(key, "=") {
				best = key
			}
		}
	}
	return best
}

func either(a, b rules.Kind, kinds ...rules.Kind) bool {
	return slices.Contains(kinds, a) || slices.Contains(kinds, b)
}

// covers reports whether a change speaks of a client.
func (c change) covers(who client) bool {
	inArea := slices.ContainsFunc(c.areas, func(all []interval) bool {
		return slices.ContainsFunc(all, func(i interval) bool { return i.low <= who.address && who.address <= i.high })
	})
	if !inArea {
		return false
	}
	sameInfo := c.info != nil && who.info != nil && *c.info == *who.info
	switch {
	case either(who.oldKind, who.newKind, rules.InfoAtAddress):
		return c.order == byInfoAtAddress && sameInfo && (c.names == nil ||
			who.name != nil && (slices.Contains(c.names, who.exact) || slices.Contains(c.names, who.longestName)))
	case either(who.oldKind, who.newKind, rules.InfoAtName):
		return c.order == byInfoAtName && sameInfo && who.name != nil && c.names[0] == who.exact
	case either(who.oldKind, who.newKind, rules.Name, rules.NameSuffix):
		return c.order == byName && c.names[0] == who.longestName
	}
	return c.order == byAddress || c.order == byEverybody
}

// tells reports whether a change says what is done to a client. What a rule
// for an address does now instead of one for a name, it does whatever the name.
func (c change) tells(who client) bool {
	if doing(c.after.deny, c.after.vars) != who.after {
		return false
	}
	if c.covers(who) {
		if c.after.deny {
			return c.before.relays() == strings.Contains(who.before, "RELAYCLIENT")
		}
		return doing(c.before.deny, c.before.vars) == who.before
	}
	if who.name == nil || !either(who.newKind, who.newKind, rules.Address, rules.AddressPrefix, rules.AddressBlock) {
		return false
	}
	nameless := who
	nameless.oldKind = rules.Everybody
	return c.covers(nameless)
}

// The verdict is that of looking up every client: each client who is done
// something else to is covered by a change that says so, and each change has
// such a client.
func checkAgainstLookups(t testing.TB, before, after string, compiled bool) {
	t.Helper()
	a, b := sides(t, before, after, compiled)
	changes := compare(a, b)
	real := make([]bool, len(changes))
	var ends []string // of what is told
	for _, c := range changes {
		for _, all := range c.areas {
			ends = append(ends, dotted(all[0].low, 4), dotted(all[len(all)-1].high, 4))
		}
	}
	slices.Sort(ends)
	for _, who := range clients(t, before, after, slices.Compact(ends)) {
		told := who.before == who.after
		for i, c := range changes {
			if c.tells(who) {
				told, real[i] = true, real[i] || who.before != who.after && c.covers(who)
			}
		}
		if !told {
			t.Fatalf("before\n%safter\n%snot told: %s, name %s, info %s: %q to %q", before, after, who.ip, text(who.name), text(who.info), who.before, who.after)
		}
	}
	for i, c := range changes {
		if !real[i] && c.order != bySix {
			t.Fatalf("before\n%safter\n%stold without reason: %s", before, after, c.tell(false))
		}
	}
}

func text(s *string) string {
	if s == nil {
		return "unknown"
	}
	return *s
}

func TestAgainstLookups(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 300 {
		before := randomRules(random, random.IntN(12))
		after := randomRules(random, random.IntN(12))
		if i%3 > 0 { // mostly the same
			lines := append(strings.SplitAfter(before, "\n"), randomRules(random, 2))
			random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			after = strings.Join(lines[random.IntN(2):], "")
		}
		checkAgainstLookups(t, before, after, i%2 == 0)
	}
}
