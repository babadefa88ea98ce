package ruleslint

import (
	"os"
	"path/filepath"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim/keys"
	"ucspi-go/rules"
)

// checks reports whether the file system is that of the host the rules are
// for: elsewhere nothing can be said of programs and keys.
func (l *linter) checks() bool {
	if _, err := os.Stat(l.home); err != nil {
		l.unchecked = true
		return false
	}
	return true
}

// programs looks for the programs that messages go through.
func (l *linter) programs(rule rules.Rule) {
	env := environ(rule)
	for _, name := range []string{"QMAILQUEUE", "DKIMQUEUE"} {
		path, set := env.Lookup(name)
		switch {
		case !set || path == "" && name == "DKIMQUEUE": // which is then as if unset
		case path == "":
			l.find(kindProgram, "QMAILQUEUE is empty, and every message is refused for now; remove it, or write bin/qmail-queue")
		case name == "DKIMQUEUE" && filepath.Base(path) == "qmail-dkim":
			l.find(kindLoop, "qmail-dkim would start itself again and again; remove DKIMQUEUE, or write bin/qmail-queue")
		case !l.once("program "+path) || !l.checks():
		default:
			l.program(name, path)
		}
	}
}

func (l *linter) program(name, path string) {
	err := prog.Executable(qmail.At(l.home, path))
	if err == nil {
		return
	}
	mend := "mend the path, which starts from " + l.home + ", or install the program"
	if inBin := "bin/" + path; !strings.Contains(path, "/") && prog.Executable(qmail.At(l.home, inBin)) == nil {
		mend = "write " + inBin
	}
	l.find(kindProgram, name+": "+show(path)+" cannot be run ("+prog.Errstr(err)+"), and every message is refused for now; "+mend)
}

// key looks at the path of a private key.
func (l *linter) key(name, path string, env rules.Environ) {
	if _, ok := keys.Selector(path, "example.com"); !ok {
		l.find(kindSelector, name+": the last part of "+show(path)+" becomes the selector, a DNS name, and is none; write a path such as control/domainkeys/%/default")
		return
	}
	all := strings.Contains(path, "%")
	domain, _ := env.Lookup("DKIMDOMAIN")
	if !l.once(name + " " + domain + " " + path) {
		return
	}
	if !all && domain == "" {
		l.find(kindFallback, name+": "+show(path)+" has no %, and the one key signs for whatever domain the sender names; write % for the domain, or set DKIMDOMAIN")
	}
	if !l.checks() {
		return
	}
	store := keys.Store{Home: l.home, Control: l.control}
	if domain == "" {
		for _, fallback := range store.Fallback(path) {
			if _, err := os.Stat(qmail.At(l.home, fallback)); err == nil {
				l.find(kindFallback, name+": "+fallback+" exists, and signs mail of every domain that has no key of its own, forwarded mail of strangers too; remove it unless that is meant")
			}
		}
	}
	l.anyKey(name, path, store)
}

// anyKey looks for a key that the path can mean.
func (l *linter) anyKey(name, path string, store keys.Store) {
	tried := store.Paths(strings.TrimRight(path, "/"), "*")
	for _, place := range tried {
		// A folder that may not be read cannot be said to hold no key.
		if found, err := filepath.Glob(qmail.At(l.home, place)); err != nil || len(found) > 0 || unreadable(l.home, place) {
			return
		}
	}
	const mend = "; make one with domainkey DOMAIN, or mend the path"
	if missing := name + ": there is no key at " + strings.Join(tried, ", "); strings.Contains(path, "%") {
		l.find(kindNoKey, missing+", and mail leaves unsigned"+mend)
	} else {
		l.find(kindKey, missing+", and every message is refused"+mend)
	}
}

// unreadable reports whether the folder in which a path begins to vary exists
// and cannot be read by who asks.
func unreadable(home, path string) bool {
	folder := path
	for strings.Contains(folder, "*") {
		folder = filepath.Dir(folder)
	}
	_, err := os.ReadDir(qmail.At(home, folder))
	return os.IsPermission(err)
}
