package ruleslint

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// run returns the lines that Run prints for a text, with what comes before the
// line number cut off, and its exit code.
func run(t testing.TB, home, text string, args ...string) (lines string, code int) {
	t.Helper()
	var out, stderr bytes.Buffer
	env := &prog.Env{Name: "tcpruleslint", Argv0: "tcpruleslint", Args: args, Stdin: strings.NewReader(text),
		Stdout: &out, Stderr: &stderr, Environ: []string{"QMAILHOME=" + home}}
	code = prog.Report(env, Run(context.Background(), env))
	if code != 0 && code != 1 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	return strings.ReplaceAll(out.String(), "stdin:", ""), code
}

// qmailHome is a host's home of qmail with the programs and keys that examples
// name.
func qmailHome(t testing.TB) string {
	t.Helper()
	home := t.TempDir()
	for _, folder := range []string{"bin", "control/domainkeys/example.com", "control/domainkeys/%"} {
		if err := os.MkdirAll(filepath.Join(home, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{
		"bin/qmail-dkim": 0o755, "bin/qmail-queue": 0o755, "bin/simscan": 0o644,
		"control/domainkeys/example.com/default": 0o600, "control/domainkeys/shared": 0o600,
		"control/domainkeys/example.com/shared": 0o600,
	} {
		if err := os.WriteFile(filepath.Join(home, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// In the rule files that people publish nothing is found but what is true.
func TestPublished(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/published/*.rules")
	if err != nil || len(files) < 12 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, ".rules") + ".want")
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if got, _ := run(t, "/nonexistent", string(text)); got != string(want) {
			t.Errorf("%s:\n%swant\n%s", file, got, want)
		}
	}
}

// One rule each, with the kind and a part of the text of what is found.
var cases = []struct {
	rule string
	kind kind
	text string
}{
	{rule: ""}, {rule: "#"}, {rule: "\t "}, {rule: " # comment"}, {rule: "1.2.3.4:deny"}, {rule: ":allow"},
	{rule: "=mail-1.example.com:allow"}, {rule: `joe@192.0.2.1:allow,A="b:c"`}, {rule: "@192.0.2.1:deny"}, {rule: "0-255.:deny"},

	{"192.0.2.1 allow", kindNoColon, "write 192.0.2.1:allow"},
	{"192.0.2.1", kindNoColon, "write ADDRESS:allow"},

	{":Allow", kindAction, "write allow"},
	{":alow", kindAction, "write allow"},
	{":DENY", kindAction, "write deny"},
	{":reject", kindAction, "write deny"},
	{": deny", kindAction, "blanks stand between"},
	{":", kindAction, "nothing follows"},
	{":xyzzy", kindAction, `"xyzzy" is neither`},
	{rule: "2001:db8::1:deny"}, {rule: "2001:DB8::/32:allow"}, {rule: "2001:db8:::deny"}, {rule: "joe@::1:deny"},
	{"1:2:3:deny", kindAction, "IPv6"},
	{"2001:db8::/129:deny", kindAction, "IPv6"},
	{" # see: there", kindAction, "first column"},

	{`:allow RELAYCLIENT=""`, kindComma, "put a comma there"},
	{":deny # spammers", kindComma, "a comment cannot follow"},
	{`:allow,A="b",`, kindComma, "ends in a comma"},
	{`:allow,A="b" ,C="d"`, kindComma, "blanks stand before a comma"},
	{`:allow;A="b"`, kindComma, `;A="b"`},
	{`:allow,A="b"c`, kindComma, `"c" begins`},
	{`:allow,#A`, kindComma, "a comment cannot follow"},

	{":allow,RELAYCLIENT", kindQuote, `write RELAYCLIENT=""`},
	{":allow,RELAYCLIENT=", kindQuote, `write RELAYCLIENT=""`},
	{`:allow,A="b`, kindQuote, `write A="..."`},
	{`:allow,A=b,C="d"`, kindQuote, `write A="b"`},
	{`:allow,A=b"`, kindQuote, `write A="..."`},
	{":allow,what is this", kindQuote, `,NAME="value"`},

	{"mail-1.example.com:allow", kindRange, "=mail-1.example.com"},
	{"192.0.2.a-b:allow", kindRange, "write"},

	{" 192.0.2.1:deny", kindAddress, `write "192.0.2.1"`},
	{"192.0.2.1 :deny", kindAddress, `write "192.0.2.1"`},
	{" 192.0.2:deny", kindAddress, `write "192.0.2."`},
	{" :deny", kindAddress, "remove the blank"},
	{" #x:deny", kindAddress, "first column"},
	{"10:deny", kindAddress, `write "10."`},
	{"192.0.2:deny", kindAddress, `write "192.0.2."`},
	{"10.0-3:deny", kindAddress, `write "10.0-3."`},
	{"192.0.2.1.:deny", kindAddress, `write "192.0.2.1"`},
	{"010.0.0.1:deny", kindAddress, `write "10.0.0.1"`},
	{"010.0:deny", kindAddress, `write "10.0."`},
	{"192.0.2.000:deny", kindAddress, `write "192.0.2.0"`},
	{"192.0.2.256:deny", kindAddress, "up to 255"},
	{"192.0.2.1.5:deny", kindAddress, "four numbers"},
	{"192..2.1:deny", kindAddress, "missing"},
	{"192.0.2.8-4:deny", kindAddress, `write "192.0.2.4-8"`},
	{"192.0.2.8-:deny", kindAddress, `write "192.0.2.8-255"`},
	{"192.0.2.1-192.0.2.9:deny", kindAddress, `write "192.0.2.1-9"`},
	{"1-3.2-4.:deny", kindAddress, "one number"},
	{rule: "10.0.0.0/8:deny"}, {rule: "10/8:deny"}, {rule: "192.0.2.17/28:deny"}, {rule: "0/0:deny"}, {rule: "::/0:deny"},
	{"10/9:deny", kindAddress, `write "10.0.0.0/9"`},
	{"10.0/24:deny", kindAddress, `numbers of the address are missing; write "10.0.0.0/24"`},
	{"010.0.0.0/8:deny", kindAddress, `write "10.0.0.0/8"`},
	{"192.0.2.256/28:deny", kindAddress, "not an address"},
	{"192.0.2.0/255.255.254.0:deny", kindAddress, `write "192.0.2.0/23"`},
	{"192.0.2.0/255.0.254.0:deny", kindAddress, "write it as"},
	{"192.0.2.0/x:deny", kindAddress, "not the length of a prefix"},
	{"192.0.2.0/33:deny", kindAddress, "up to 32"},
	{"joe@10.0.0.0/8:deny", kindAddress, "whole address"},
	{" 10.0.0.0/8:deny", kindAddress, `write "10.0.0.0/8"`},
	{"all:deny", kindAddress, "the colon alone"},
	{"192.0.2.*:deny", kindAddress, `write "192.0.2."`},
	{"10.*.*.*:deny", kindAddress, `write "10."`},
	{"*.example.com:deny", kindAddress, `write "=.example.com"`},
	{"=*.example.com:deny", kindAddress, `write "=.example.com"`},
	{"mail.example.com:deny", kindAddress, `write "=mail.example.com"`},
	{".Example.com:deny", kindAddress, `write "=.example.com"`},
	{"=Mail.example.com:deny", kindAddress, `write "=mail.example.com"`},
	{"=example.com.:deny", kindAddress, `write "=example.com"`},
	{"=a..b:deny", kindAddress, "not a name"},
	{"=10.:deny", kindAddress, `write "10."`},
	{"=192.0.2.1:deny", kindAddress, `write "192.0.2.1"`},
	{"joe@192.0.2.:deny", kindAddress, "whole address"},
	{"joe@example.com:deny", kindAddress, `write "joe@=example.com"`},
	{"joe@=Example.com:deny", kindAddress, `write "joe@=example.com"`},
	{"joe smith@192.0.2.1:deny", kindAddress, "blanks"},
	{"?:deny", kindAddress, "neither an address nor a name"},

	{"192.168.0.0:deny", kindNetwork, `write "192.168."`},
	{"192.0.2.0:deny", kindNetwork, `write "192.0.2."`},

	{`:allow,RELAYCLIENT=""`, kindOpenRelay, "everybody"},
	{`=:allow,RELAYCLIENT=""`, kindOpenRelay, "has a name"},
	{`=.com:allow,RELAYCLIENT=""`, kindWide, "end in .com"},
	{`203.:allow,RELAYCLIENT=""`, kindWide, "16777216"},
	{`172.:allow,RELAYCLIENT=""`, kindWide, "15728640"},
	{`203.0-15.:allow,RELAYCLIENT=""`, kindWide, "1048576"},
	{`0.0.0.0/0:allow,RELAYCLIENT=""`, kindOpenRelay, "such an address"},
	{`::/0:allow,RELAYCLIENT=""`, kindOpenRelay, "such an address"},
	{`203.0.0.0/12:allow,RELAYCLIENT=""`, kindWide, "1048576"},
	{`172.0.0.0/8:allow,RELAYCLIENT=""`, kindWide, "15728640"},
	{`160.0.0.0/4:allow,RELAYCLIENT=""`, kindWide, "267321344"},
	{`2001:db8::/28:allow,RELAYCLIENT=""`, kindWide, "/28 of IPv6"},
	{`2001::allow,RELAYCLIENT=""`, kindWide, "/16 of IPv6"},
	{rule: `2001:db8:::allow,RELAYCLIENT=""`}, {rule: `2001:db8::/29:allow,RELAYCLIENT=""`}, {rule: `fd00::/8:allow,RELAYCLIENT=""`}, {rule: `fe80::/10:allow,RELAYCLIENT=""`},
	{rule: `203.0.0.0/13:allow,RELAYCLIENT=""`}, {rule: `10/8:allow,RELAYCLIENT=""`}, {rule: `172.16/12:allow,RELAYCLIENT=""`}, {rule: `127.0.0.1/32:allow,RELAYCLIENT=""`},
	{rule: `203.0-14.:allow,RELAYCLIENT=""`}, {rule: `10.:allow,RELAYCLIENT=""`}, {rule: `172.16-31.:allow,RELAYCLIENT=""`},
	{rule: `100.64-127.:allow,RELAYCLIENT=""`}, {rule: `:deny`},
	{`=.example.com:allow,RELAYCLIENT=""`, kindForged, "unless tcpserver has -p"},
	{`joe@=a.example.com:allow,RELAYCLIENT=""`, kindForged, "unless tcpserver has -p"},
	{rule: `joe@192.0.2.1:allow,RELAYCLIENT=""`},

	{`:deny,A="b"`, kindDeny, "A has no effect"},
	{`:allow,A="b",A="b"`, kindTwice, "A is set twice"},
	{`:allow, RELAYCLIENT=""`, kindVariable, ",RELAYCLIENT="},
	{`:allow,relayclient=""`, kindVariable, "write RELAYCLIENT"},
	{`:allow,="x"`, kindVariable, "no name"},
	{`:allow,A"="x"`, kindVariable, "taken for a name"},
	{`:allow,RELAYCLIENTS=""`, kindNear, "RELAYCLIENT"},
	{`:allow,DKIMVERFIY="F"`, kindNear, "DKIMVERIFY"},
	{`:allow,QMAILQUE="bin/x"`, kindNear, "QMAILQUEUE"},
	{rule: `:allow,MY_OWN="x",A="b",SPF="3"`},
	{`:allow,DATABYTES=10001`, kindOddQuote, `becomes "000"`},
	{rule: `:allow,A='b',C=/d/`},

	{`:allow,DKIMVERIFY="FGZ1"`, kindLetters, `"Z1"`},
	{`:allow,DKIMVERIFY="FA"`, kindLetters, "A refuses"},
	{`:allow,DKIMVERIFY="FHf"`, kindIgnored, "f has no effect beside F"},
	{rule: `:allow,DKIMVERIFY="BDEFGHIJKLMNOPQRSTUVWXY"`}, {rule: `:allow,DKIMVERIFY=""`},
	{`:allow,DKIMSIGN="a/%/b",DKIMSIGNOPTIONS="-x abc"`, kindOptions, `"-x abc"`},
	{`:allow,DKIMSIGN="a/%/b",DKIMSIGNOPTIONS="-Z"`, kindOptions, `"-Z"`},
	{`:allow,DKIMSIGN="a/%/b",DKIMSIGNOPTIONSEXTRA="-c q"`, kindOptions, `"-c q"`},
	{`:allow,DKIMSIGN="a/%/b",DKIMEXPIRE="7d"`, kindOptions, `DKIMEXPIRE: "7d"`},
	{`:allow,DKIMSIGN="a/%/b",DKIMSIGNOPTIONS="-z 3"`, kindSHA1, "-z 2"},
	{`:allow,DKIMSIGN="a/%/b",DKIMSIGNOPTIONS="z 2"`, kindIgnored, `"z" is no option`},
	{`:allow,DKIMSIGN="a/%/b",DKIMVERIFY="F"`, kindIgnored, "signed and never verified"},
	{`:allow,DKIMSIGN="a/%/b",DKIMKEY="a/%/b"`, kindIgnored, "beside DKIMSIGN"},
	{`:allow,DKIMKEY="a/%/b",DKIMVERIFY="F"`, kindIgnored, "verified and never signed"},
	{`:allow,DKIMKEY="a/%/b"`, kindIgnored, "relay clients alone"},
	{rule: `192.0.2.1:allow,DKIMKEY="a/%/b",RELAYCLIENT=""`}, {rule: `192.0.2.1:allow,DKIMKEY=""`, kind: kindIgnored, text: "relay clients"},
	{`:allow,DKIMSIGN="a/%/b c"`, kindSelector, `"a/%/b c"`},
	{`:allow,DKIMSIGN="a/%/b",DKIMDOMAIN="ex ample"`, kindSelector, "DKIMDOMAIN"},
	{`:allow,DKIMSIGN="keys/one"`, kindFallback, "has no %"},
	{rule: `:allow,DKIMSIGN="keys/one",DKIMDOMAIN="example.com"`}, {rule: `:allow,DKIMSIGN=""`},
	{`:allow,QMAILQUEUE="bin/qmail-dkim",DKIMQUEUE="/var/qmail/bin/qmail-dkim"`, kindLoop, "start itself"},
	{`:allow,QMAILQUEUE=""`, kindProgram, "is empty"},

	{"192.0.2.1:allow\r", kindCRLF, "delcr"},
	{":allow,A=“b”", kindBytes, "plain quotes"},
	{"192.0.2.1\u00a0:allow", kindBytes, "no-break space"},
	{"1９2.0.2.1:allow", kindBytes, "matches nobody"},
	{":allow,Ä=\"b\"", kindBytes, "the name"},
	{"\xef\xbb\xbf:allow", kindBytes, "byte order mark"},
	{":allow,A=\"ä\"", kindValue, "the value of A"},
	{rule: "# 日本語"},
}

func TestCases(t *testing.T) {
	t.Parallel()
	for _, tt := range cases {
		l := linter{home: "/nonexistent"}
		got := l.lint([]byte(tt.rule + "\n"))
		switch {
		case tt.kind == "" && len(got) > 0:
			t.Errorf("%q: %v, want nothing", tt.rule, got)
		case tt.kind != "" && (len(got) != 1 || got[0].kind != tt.kind || !strings.Contains(got[0].text, tt.text)):
			t.Errorf("%q: %v, want %s with %q", tt.rule, got, tt.kind, tt.text)
		}
		for _, f := range got {
			if !strings.Contains(f.text, "; ") || strings.ContainsFunc(f.text, func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Errorf("%q: no reason and mend in printable ASCII: %q", tt.rule, f.text)
			}
			// An address that is proposed is one that clients have.
			if _, mend, ok := strings.Cut(f.text, `; write "`); ok && f.kind == kindAddress {
				mend, _, _ = strings.Cut(mend, `"`)
				if kindOf(rules.Rule{Address: mend}) == rules.NoClient {
					t.Errorf("%q: the mend %q matches nobody", tt.rule, mend)
				}
			}
		}
	}
}

func TestTwoRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		kind kind
		part string
	}{
		{"127.:allow\n127.:deny\n", kindShadowed, "line 1 has it"},
		{"127.:allow\n127.:allow\n", kindRepeated, "line 1 says the same"},
		{"127.:deny\n127.:deny,A='b'\n", kindRepeated, "line 1"},
		{"127.:allow,A='b',C='d'\n127.:allow,C='d',A='b'\n", kindRepeated, "line 1"},
		{"10.0-3.:allow\n#\n10.2-5.:deny\n", kindOverlap, `line 1 decides about "10.2." already`},
		{"10.0-3.:allow\n10.2-5.:allow\n", "", ""},
		{"10.0-3.:allow\n10.2.:deny\n", kindShadowed, "line 1"},
		{"10.:allow\n10.2.:deny\n:deny\n", "", ""},
		{"10.1-2.:deny\n10.3-4.:allow\n10.1-4.:allow\n", kindShadowed, "line 1"},
	} {
		l := linter{home: "/nonexistent"}
		var got []finding
		for _, f := range l.lint([]byte(tt.text)) {
			if f.kind != kindDeny {
				got = append(got, f)
			}
		}
		switch {
		case tt.kind == "" && len(got) > 0:
			t.Errorf("%q: %v, want nothing", tt.text, got)
		case tt.kind != "" && (len(got) != 1 || got[0].kind != tt.kind || !strings.Contains(got[0].text, tt.part)):
			t.Errorf("%q: %v, want %s with %q", tt.text, got, tt.kind, tt.part)
		}
	}
}

// A rule that needs what the server's options turn off.
func TestServerOptions(t *testing.T) {
	t.Parallel()
	const text = "=.example.com:allow,RELAYCLIENT=\"\"\njoe@192.0.2.1:deny\njoe@=a.example.com:deny\n192.0.2.1:deny\n"
	for options, want := range map[string]string{
		"":                                  "1 forged",
		"-p":                                "",
		"-pH":                               "1 names 3 names",
		"-pR":                               "2 ident 3 ident",
		"tcpserver -vRHl0 -x cdb 0 25 prog": "1 names 2 ident 3 names 3 ident",
		"-Hh -Rr -p -c 100":                 "",
	} {
		server, err := serverOptions(options)
		if err != nil {
			t.Fatal(err)
		}
		l := linter{home: "/nonexistent", server: server}
		var got []string
		for _, f := range l.lint([]byte(text)) {
			got = append(got, strconv.Itoa(f.line)+" "+string(f.kind))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("-o %q: %s, want %s", options, s, want)
		}
	}
}

// What is looked for in the file system, each once.
func TestFiles(t *testing.T) {
	t.Parallel()
	home := qmailHome(t)
	for _, tt := range []struct{ settings, want string }{
		{`QMAILQUEUE="bin/qmail-dkim",DKIMQUEUE="bin/qmail-queue"`, ""},
		{`QMAILQUEUE="bin/qmail-dkmi"`, `error: QMAILQUEUE: "bin/qmail-dkmi" cannot be run (file does not exist)`},
		{`QMAILQUEUE="bin/simscan"`, `error: QMAILQUEUE: "bin/simscan" cannot be run (access denied)`},
		{`QMAILQUEUE="qmail-dkim"`, "; write bin/qmail-dkim\n"},
		{`DKIMQUEUE="bin/nothing"`, `error: DKIMQUEUE: "bin/nothing" cannot be run`},
		{`DKIMSIGN="control/domainkeys/%/default"`, ""},
		{`DKIMSIGN="domainkeys/%/default"`, ""},
		{`DKIMSIGN="control/domainkeys/%/next"`, "warning: DKIMSIGN: there is no key at control/domainkeys/*/next, control/domainkeys/next, and mail leaves unsigned"},
		{`DKIMSIGN="control/domainkey/example.com/default",DKIMDOMAIN="example.com"`, "error: DKIMSIGN: there is no key at control/domainkey/example.com/default, and every message is refused"},
		{`DKIMSIGN="control/domainkeys/%/shared"`, "warning: DKIMSIGN: control/domainkeys/shared exists, and signs mail of every domain"},
		{`DKIMSIGN="control/domainkeys/%/shared",DKIMDOMAIN="example.com"`, ""},
	} {
		got, _ := run(t, home, "192.0.2.1:allow,"+tt.settings+"\n192.0.2.2:allow,"+tt.settings+"\n")
		if tt.want == "" && got != "" || tt.want != "" && (!strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1) {
			t.Errorf("%s: %q, want %q once", tt.settings, got, tt.want)
		}
	}
}

// String is for the tests' own messages.
func (f finding) String() string {
	return strconv.Itoa(f.line) + " " + string(f.kind) + ": " + f.text
}
