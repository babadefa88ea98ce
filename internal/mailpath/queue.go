package mailpath

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/qmailsmtpd"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// signer is the name of the program that signs and verifies.
const signer = "qmail-dkim"

// What qmail-dkim does with a message: Queue.Mode.
const (
	modeSign   = "sign"
	modeVerify = "verify"
	modeLabel  = "label" // verify, and refuse nothing
	modeOff    = "off"
	modeExempt = "exempt"
)

// findQueue finds the program that gets the messages, and what that would do.
func (x *explainer) findQueue() {
	program := qmailsmtpd.QueueProgram(&prog.Env{Environ: x.environ})
	x.Queue = &Queue{Program: x.program("the queue program", "QMAILQUEUE", program)}
	x.Queue.DKIM = isSigner(x.file(program))
	if !x.Queue.DKIM {
		x.judgeOther()
		return
	}
	var err error
	x.config, err = qmaildkim.ConfigFrom(x.environ)
	q := x.Queue
	q.Mode, q.Key = x.mode(), clean(x.config.KeyPattern())
	for _, s := range x.config.Asked {
		q.Decided = append(q.Decided, Setting{s.Name, s.Set, clean(s.Value)})
		if q.Mode == modeVerify && s.Name == "DKIMVERIFY" {
			q.Letters = clean(s.Value)
		}
	}
	if errors.As(err, &x.refusal) {
		x.fault("the options for signing cannot be used: "+cause(x.refusal), "every message is refused for now: correct DKIMSIGNOPTIONS"+x.setAt("DKIMSIGNOPTIONS")+" and DKIMEXPIRE")
	}
	next := x.program("the program behind qmail-dkim", "DKIMQUEUE", x.config.Queue)
	q.Next = &next
	x.judgeMode()
}

// mode returns the word for what qmail-dkim does.
func (x *explainer) mode() string {
	switch x.config.Mode {
	case qmaildkim.ModeSign:
		return modeSign
	case qmaildkim.ModeOff:
		return modeOff
	case qmaildkim.ModeExempt:
		return modeExempt
	}
	if letters, _ := x.environ.Lookup("DKIMVERIFY"); letters == "" {
		return modeLabel
	}
	return modeVerify
}

// program says whether the program that a variable names can be executed: by
// this process, which is the one of the user that is asked about.
func (x *explainer) program(what, variable, path string) Program {
	file := x.file(path)
	p := Program{Path: clean(path), File: clean(file)}
	err := prog.Executable(file)
	if err == nil {
		err = unix.Access(file, unix.X_OK)
	}
	if path == "" {
		err = syscall.ENOENT
	}
	if err != nil {
		p.Error = prog.Errstr(err)
		x.fault(what+" "+file+" cannot be executed by "+x.User+": "+p.Error+x.blocker(file, "executed"),
			"every message is answered "+qmail.NoExec.Reply()+": correct "+variable+x.setAt(variable)+", or install the program")
	}
	return p
}

// file returns where a program is, which is named from the qmail home.
func (x *explainer) file(path string) string { return qmail.At(qmail.Home(x.environ.Lookup), path) }

// isSigner reports whether a file is qmail-dkim, by its name or that of what
// it is a link to.
func isSigner(file string) bool {
	real, err := filepath.EvalSymlinks(file)
	return filepath.Base(file) == signer || err == nil && filepath.Base(real) == signer
}

// judgeOther says that no qmail-dkim is on the path, where one was meant to be.
func (x *explainer) judgeOther() {
	var vain []string
	for _, s := range x.environ {
		name, _, _ := strings.Cut(s, "=")
		if strings.HasPrefix(name, "DKIM") && name != "DKIMLOG" {
			vain = append(vain, name)
		}
	}
	if len(vain) > 0 {
		x.fault("nothing signs or verifies, unless "+x.Queue.Path+" starts qmail-dkim itself, and so "+strings.Join(vain, ", ")+" may be in vain",
			`set QMAILQUEUE="bin/qmail-dkim" in the same rule; qmail-dkim starts $DKIMQUEUE behind it`)
	}
}

// judgeMode says which variables for signing are not read, and where the words
// of a refusal get lost.
func (x *explainer) judgeMode() {
	if s, set := x.environ.Lookup("ERROR_FD"); set && s != "4" && s != "6" {
		x.note("ERROR_FD"+x.setAt("ERROR_FD")+" sends the words of a refusal to descriptor "+s+", which qmail-smtpd does not read: the client will not hear them", "")
	}
	for _, name := range []string{"DKIMKEY", "DKIMVERIFY", "DKIMRCPT", "DKIMSIGNOPTIONS"} {
		if _, set := x.environ.Lookup(name); !set {
			continue
		}
		signs := x.Queue.Mode == modeSign
		_, bySign := x.environ.Lookup("DKIMSIGN")
		switch {
		case name == "DKIMKEY" && bySign:
			x.note("DKIMKEY is not read, because DKIMSIGN is set", "")
		case name == "DKIMVERIFY" && bySign:
			x.note("DKIMVERIFY is not read, because DKIMSIGN is set", "")
		case name == "DKIMKEY" && (x.Queue.Mode == modeVerify || x.Queue.Mode == modeLabel):
			mend := `set RELAYCLIENT="" in the same rule if the client may send anywhere, or name the key in DKIMSIGN`
			if x.Queue.Mode == modeVerify {
				mend = "take DKIMVERIFY out of the rules of clients whose mail is to be signed"
			}
			x.fault("DKIMKEY is set"+x.setAt(name)+", but messages are verified and not signed", mend)
		case name != "DKIMKEY" && name != "DKIMVERIFY" && !signs:
			x.note(name+" is not read: nothing is signed", "")
		}
	}
}

// setAt says where a variable is set, for a mend: " in FILE:LINE" or nothing.
func (x *explainer) setAt(name string) string {
	for _, s := range x.Connection.Sets {
		if strings.HasPrefix(s, name+"=") && x.Connection.Line > 0 {
			return " in " + x.at(rules.Rule{Line: x.Connection.Line})
		}
	}
	for _, s := range x.Connection.Inherited {
		if strings.HasPrefix(s, name+"=") {
			return " in this shell"
		}
	}
	return ""
}

// cause returns what a refusal is about, in words.
func cause(r *qmaildkim.Refusal) string {
	if r.Cause == nil {
		return r.Reason
	}
	return prog.Errstr(r.Cause)
}
