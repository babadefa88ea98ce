package manual

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/ucspi"
)

// ofRules are variables that programs about rules read in these, and not in
// their own environment.
const ofRules = `AUTHINFO DKIMDOMAIN DKIMEXPIRE DKIMIDENTITY DKIMKEY DKIMPREFLIGHT DKIMQUEUE DKIMSIGN DKIMSIGNEXTRA DKIMSIGNOPTIONS
	DKIMSIGNOPTIONSEXTRA DKIMVERIFY EXCLUDE_DKIMSIGN QMAILQUEUE RELAYCLIENT `

// forSigning are those that make no difference to who only verifies.
const forSigning = `AUTHINFO DKIMDOMAIN DKIMEXPIRE DKIMIDENTITY DKIMKEY DKIMPREFLIGHT DKIMRCPT DKIMRCPTMATCH DKIMSIGN DKIMSIGNEXTRA
	DKIMSIGNOPTIONS DKIMSIGNOPTIONSEXTRA EXCLUDE_DKIMSIGN NODKIMKEYS RELAYCLIENT `

// forAMessage are those that make no difference to who hands no message on.
const forAMessage = `DKIMAUTHSERVID DKIMDRYRUN DKIMLOG RELAYCLIENT_NODKIMVERIFY SANDBOX `

// notRead are variables that the source of a program has, but for another
// environment than its own.
var notRead = map[string]string{
	"dkim":       forSigning + forAMessage + "DKIMQUEUE",
	"dkimreport": forSigning + forAMessage + "DKIMVERIFY",
	"domainkey": ofRules + forAMessage +
		"DKIMALIGN DKIMDNSTIMEOUT DKIMRCPT DKIMRCPTMATCH NODKIMKEYS NOSIGNATUREDOMAINS SIGNATUREDOMAINS TMPDIR UNSIGNED_FROM",
	"tcprulesdiff": "RELAYCLIENT",
	"tcpruleslint": ofRules + "GID UID",
	"tcpserver":    "TCPSERVER_HANDOVER", // its own word, to the program file that it runs anew
}

// notSet are variables that the source of tcpserver names in rules.Var, but for
// other ends than to tell its programs.
const notSet = "TCPPROXY TCPSERVER_HANDOVER"

// readsOf returns the variables that a program reads in its environment, or,
// as tcpserver, in rules.
func readsOf(t *testing.T, program string) map[string]bool {
	t.Helper()
	reads := loadSource(t).reach(program).reads
	for name := range strings.FieldsSeq(notRead[program]) {
		if !reads[name] {
			t.Errorf("%s: nothing reads %s", program, name)
		}
		delete(reads, name)
	}
	return reads
}

// setters are the programs that tell the programs that they run something.
var setters = []string{"tcpclient", "tcpserver"}

// setsOf returns the variables that a program sets: those of a connection, and
// what the source of it names beside.
func setsOf(t *testing.T, program string) map[string]bool {
	t.Helper()
	if !slices.Contains(setters, program) {
		return nil
	}
	sets := loadSource(t).reach(program).sets
	for name := range strings.FieldsSeq(notSet) {
		if program == "tcpserver" && !sets[name] {
			t.Errorf("%s: nothing sets %s", program, name)
		}
		delete(sets, name)
	}
	text := ""
	for _, end := range []string{"192.0.2.1:25", "[fe80::1%eth0]:25"} {
		at := netip.MustParseAddrPort(end)
		for _, entry := range (ucspi.Facts{Local: at, Remote: at, LocalHost: &text, RemoteHost: &text, RemoteInfo: &text}).Append(nil) {
			name, _, _ := strings.Cut(entry, "=")
			sets[name] = true
		}
	}
	return sets
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	for program, p := range programPages(t) {
		reads, sets := p.environment()
		want := readsOf(t, program)
		if program == "mailpath" {
			// Its page refers to those of the programs that it explains.
			maps.DeleteFunc(want, func(name string, _ bool) bool { return !reads[name] })
		}
		compare(t, p.file+", ENVIRONMENT", reads, want)
		compare(t, p.file+", ENVIRONMENT, Set", sets, setsOf(t, program))
	}
}

// The page tcp-environ names every variable, and of each who sets it and who
// reads it.
func TestEnvironPage(t *testing.T) {
	t.Parallel()
	readers, makers := make(map[string][]string), make(map[string][]string)
	anywhere := make(map[string]bool)
	for program := range programPages(t) {
		maps.Copy(anywhere, loadSource(t).reach(program).reads)
		if program != "mailpath" { // whose page refers to others
			for name := range readsOf(t, program) {
				readers[name] = append(readers[name], program)
			}
		}
		for name := range setsOf(t, program) {
			makers[name] = append(makers[name], program)
		}
	}
	named := make(map[string]bool)
	p := pages(t)["tcp-environ"]
	for _, item := range strings.Split(strings.Join(p.sections["DESCRIPTION"], "\n"), "\n.It ")[1:] {
		names := variables(".It " + strings.SplitN(item, "\n", 2)[0])
		for what, programs := range map[string]map[string][]string{"set": makers, "read": readers} {
			m := regexp.MustCompile(`(?i)\n` + what + ` by ([^.;]*)`).FindStringSubmatch(item)
			if m == nil {
				continue
			}
			says := strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
			for _, name := range names {
				if list := slices.Sorted(slices.Values(programs[name])); !slices.Equal(says, list) {
					t.Errorf("%s is %s by %q, the page says %q", name, what, list, says)
				}
				named[name+" "+what] = true
			}
		}
	}
	for what, programs := range map[string]map[string][]string{"read": readers, "set": makers} {
		for name, list := range programs {
			if !named[name+" "+what] {
				t.Errorf("%s lacks %s, %s by %q", p.file, name, what, slices.Sorted(slices.Values(list)))
			}
		}
	}
	for known := range loadSource(t).variables {
		if !anywhere[known] && len(makers[known]) == 0 {
			t.Errorf("the table of tcpruleslint has %s as a variable that a program here reads", known)
		}
	}
}
