package manual

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// run runs a program that must not find anything to work with, and returns
// what it says.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(testprog.Dir(t), program), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"QMAILHOME=" + cmd.Dir, "TMPDIR=" + cmd.Dir, "DNSCACHEIP=0.0.0.0", "DNSREWRITEFILE=/dev/null"}
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// usageOf returns the usage line of a program, empty if it has none.
func usageOf(t *testing.T, program string) string {
	for _, args := range [][]string{nil, {"-?"}} {
		if _, usage, ok := strings.Cut(run(t, program, args...), program+": usage: "); ok {
			usage, _, _ = strings.Cut(usage, "\n")
			return usage
		}
	}
	return ""
}

// supervised is what the usage line of tcpserver, which is C's, does not tell.
const supervised = " [ -W word ]"

// The synopsis is the usage line. That of rblsmtpd is wrong, as C's is: its page
// quotes it.
func TestSynopsis(t *testing.T) {
	t.Parallel()
	with := 0
	for program, p := range programPages(t) {
		usage := usageOf(t, program)
		switch {
		case usage == "":
			if program != "qmail-remote" && !onlyOptional.MatchString(p.synopsis()) {
				t.Errorf("%s: %q, of a program that complains of no command line", p.file, p.synopsis())
			}
		case program == "rblsmtpd":
			if !strings.Contains(strings.Join(p.sections["COMPATIBILITY"], "\n"), "rblsmtpd: usage: "+usage) {
				t.Errorf("%s does not quote the usage line", p.file)
			}
		case program == "tcpserver" && strings.Replace(p.synopsis(), supervised, "", 1) == usage:
		case p.synopsis() != usage:
			t.Errorf("%s: synopsis\n%q, usage\n%q", p.file, p.synopsis(), usage)
		}
		if usage != "" {
			with++
		}
	}
	if with < 12 {
		t.Errorf("%d programs with a usage line", with)
	}
}

// onlyOptional are command lines that need no operand.
var onlyOptional = regexp.MustCompile(`^\S+( \[ \S+( \[ \S+)*( \])+)?$`)

// Programs without a usage line have as many operands as they look at.
func TestOperands(t *testing.T) {
	t.Parallel()
	for program, p := range programPages(t) {
		if usageOf(t, program) != "" || program == "qmail-remote" {
			continue
		}
		operands := strings.Count(p.synopsis(), "[ ")
		if want := loadSource(t).reach(program).operands; operands != want {
			t.Errorf("%s has %d operands, the program looks at %d", p.file, operands, want)
		}
	}
	const improper = "invoked improperly"
	if !strings.Contains(run(t, "qmail-remote", "host", "sender"), improper) || strings.Contains(run(t, "qmail-remote", "host", "sender", "recipient"), improper) {
		t.Error("qmail-remote does not need three operands")
	}
	if got := pages(t)["qmail-remote"].synopsis(); got != "qmail-remote host sender recipient ..." {
		t.Errorf("synopsis %q", got)
	}
}

// Every option is explained, and takes an argument where it says so, and so do
// those in the synopsis.
func TestOptions(t *testing.T) {
	t.Parallel()
	programs := programPages(t)
	delete(programs, "qmail-dkim") // has them in a variable
	with := 0
	for program, p := range programs {
		t.Run(program, func(t *testing.T) {
			got, want := p.options(), optionsOf(t, program)
			compare(t, p.file+", OPTIONS", got, want)
			compare(t, p.file+", SYNOPSIS", synopsisOptions(p.synopsis()), want)
		})
		if len(p.options()) > 0 {
			with++
		}
	}
	if with < 7 {
		t.Errorf("%d programs with options", with)
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// optionsOf asks a program which letters it knows. It has nothing but the one
// option to work with, and would rather say so.
func optionsOf(t *testing.T, program string) map[string]bool {
	list := make(map[string]bool)
	if !strings.Contains(run(t, program, "-?"), "illegal option") {
		return nil // they are no options to it
	}
	for _, letter := range letters {
		l := string(letter)
		said := run(t, program, "-"+l)
		switch {
		case strings.Contains(said, ": option requires an argument -- "+l+"\n"):
			list[l+":"] = true
		case !strings.Contains(said, ": illegal option -- "+l+"\n"):
			list[l] = true
		}
	}
	return list
}

func synopsisOptions(synopsis string) map[string]bool {
	list := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?:^|[\s])-(\w+)(?: ([^\s\[\]|]))?`).FindAllStringSubmatch(synopsis, -1) {
		for _, l := range m[1] {
			if list[string(l)] = true; m[2] != "" {
				delete(list, string(l))
				list[string(l)+":"] = true
			}
		}
	}
	return list
}

// The options of DKIMSIGNOPTIONS are on the page of qmail-dkim.
func TestSigningOptions(t *testing.T) {
	t.Parallel()
	want := make(map[string]bool)
	for _, letter := range letters {
		l := string(letter)
		ignored, bad := qmaildkim.CheckSigning(rules.Environ{"DKIMSIGN=key", "DKIMSIGNOPTIONS=-" + l + " 2"})
		switch {
		case strings.TrimSpace(bad) == "-"+l:
		case slices.Contains(ignored, "2"):
			want[l] = true
		default:
			want[l+":"] = true
		}
	}
	compare(t, "qmail-dkim.8", pages(t)["qmail-dkim"].options(), want)
	if len(want) < 5 {
		t.Errorf("%d options", len(want))
	}
}

// The words of -W are on the page of tcpserver, with their values.
func TestWords(t *testing.T) {
	t.Parallel()
	_, hint, _ := strings.Cut(run(t, "tcpserver", "-W", "?"), "-W takes one of ")
	want, got := make(map[string]bool), make(map[string]bool)
	for word := range strings.FieldsSeq(hint) {
		want[strings.ToLower(word)] = true
	}
	for _, line := range pages(t)["tcpserver"].sections["OPTIONS"] {
		if item, ok := strings.CutPrefix(line, ".It Cm "); ok {
			got[strings.ReplaceAll(item, " Ns Ar ", "")] = true
		}
	}
	compare(t, "tcpserver.1", got, want)
	if len(want) < 5 {
		t.Errorf("%d words in %q", len(want), hint)
	}
}
