package mailpath

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
)

// domainKeys is where domainkey keeps the keys.
const domainKeys = "control/domainkeys/"

// judgeUnsigned says why a message is not signed, or refused, and what to do.
func (x *explainer) judgeUnsigned(r *qmaildkim.Report) {
	switch {
	case x.refusal != nil && len(r.Keys) > 0 && r.Keys[len(r.Keys)-1].Err != nil && r.Reason != "no-key":
		x.judgeKey(r.Keys[len(r.Keys)-1])
	case r.Reason == "no-key":
		x.judgeNoKey(r)
	case x.refusal != nil:
		text := "qmail-dkim refuses the message: " + cause(x.refusal)
		if x.refusal.Path != "" {
			text += " (" + x.refusal.Path + ")"
		}
		x.fault(text, mendRefusal[r.Reason])
	case r.Reason == "off", r.Reason == "rcpt", r.Reason == "relayclient": // as configured
	default:
		x.fault("the message is not signed: "+qmaildkim.ReasonText(r.Reason), mendMessage[r.Reason])
	}
}

// mendRefusal and mendMessage say by a report's reason what to do.
var mendRefusal = map[string]string{
	"bad-dkimkeys":   "correct control/dkimkeys, whose lines are domain:path or domain:path:NAME=VALUE,..., and make it readable",
	"bad-dkimrcpts":  "make control/dkimrcpts readable, or remove it",
	"bad-options":    "correct DKIMSIGNOPTIONS and DKIMEXPIRE, also those in control/dkimkeys",
	"bad-dkimdomain": "DKIMDOMAIN must be a domain name",
	"bad-key":        "the last component of the key's path is the selector: it must be a DNS name",
}

var mendMessage = map[string]string{
	qmaildkim.NoFrom:         "the program that makes the mail must give it a From field",
	qmaildkim.SeveralFrom:    "the program that makes the mail must give it one From field",
	qmaildkim.BadFrom:        "the program that makes the mail must write From as Name <address>",
	qmaildkim.SeveralAuthors: "one signature cannot speak for both: send it from one domain, or set DKIMDOMAIN",
	qmaildkim.BadDomain:      "the From address needs a domain name",
	"bad-header":             "the message must begin with its header, without a mailbox line such as From joe Mon Jan 1",
}

// judgeNoKey says that no key file exists.
func (x *explainer) judgeNoKey(r *qmaildkim.Report) {
	text := "the message is not signed: "
	if x.refusal != nil {
		text = "qmail-dkim refuses the message: "
	}
	paths := make([]string, 0, len(r.Keys))
	for _, k := range r.Keys {
		paths = append(paths, k.Path)
	}
	text += "no key file " + strings.Join(paths, ", nor ")
	mend := ""
	if len(paths) > 0 {
		mend = x.nearby(paths[0])
	}
	if selector, ok := strings.CutPrefix(r.Pattern, domainKeys+"%/"); ok && !strings.ContainsAny(selector, "/%") {
		mend += "make a key with domainkey " + r.Domain + " " + selector + ", or "
	}
	x.fault(text, mend+x.correct(r))
}

// correct says where the path of the key comes from.
func (x *explainer) correct(r *qmaildkim.Report) string {
	if r.KeysLine != "" {
		return "correct the path in control/dkimkeys"
	}
	for _, s := range x.config.Asked {
		if (s.Name == "DKIMKEY" || s.Name == "DKIMSIGN") && s.Set {
			return "correct " + s.Name + x.setAt(s.Name)
		}
	}
	return "name another path in DKIMKEY"
}

// judgeKey says why a key file cannot be used, for which the message is
// refused.
func (x *explainer) judgeKey(k qmaildkim.KeyTry) {
	file := qmail.At(x.config.Home, k.Path)
	text := "mail is refused for now, so that none leaves unsigned: the key " + k.Path + " cannot be used: " + words(k.Err)
	mend := ""
	switch {
	case errors.Is(k.Err, fs.ErrPermission):
		text += x.blocker(file, "read")
		mend = x.mendBlocker(file)
		if real, ok := x.outside(file); ok {
			text += "; with SANDBOX it reads nothing outside of its folders of keys, and a link leads out of them, to " + real
			mend = "put the key into " + filepath.Dir(file) + ", or do without SANDBOX" + x.setAt("SANDBOX")
		}
	case errors.Is(k.Err, syscall.EISDIR):
		mend = "it is a folder: the path must end in the selector, which is a file or a link to one" + x.holds(file)
	case errors.Is(k.Err, keys.ErrDangling):
		mend = x.mendLink(file)
	case errors.Is(k.Err, syscall.ELOOP):
		mend = "make the link lead to the key file"
	case errors.Is(k.Err, syscall.ENOTDIR):
		mend = "a part of the path is a file and not a folder: correct the path"
	case errors.Is(k.Err, keys.ErrTooShort):
		mend = "make a new key: domainkey makes 2048 bits. Verifiers do not accept less than 1024 (RFC 8301)"
	case errors.Is(k.Err, keys.ErrEncrypted):
		mend = "remove the passphrase: openssl pkey -in " + file + " -out NEW"
	case errors.Is(k.Err, keys.ErrNotKey), errors.Is(k.Err, keys.ErrDamaged), errors.Is(k.Err, keys.ErrTooLarge), errors.Is(k.Err, keys.ErrNotFile):
		mend = "put the private key there, in PEM form: -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----"
	}
	x.fault(text, mend)
}

// judgePublished says what is wrong with what is published of a key.
func (x *explainer) judgePublished(p Published, s qmaildkim.Signed) {
	mend := "publish this line: " + recordLine(s)
	if of, selector, ok := strings.Cut(strings.TrimPrefix(s.Key, domainKeys), "/"); ok && of == s.Domain && selector == s.Selector {
		mend = "publish what domainkey -p " + s.Domain + " " + s.Selector + " prints"
	}
	name := p.Name
	switch p.State {
	case qmaildkim.PublishedMissing:
		x.fault("the key is not published: there is no TXT record "+name+because(p.Reason)+", so the signature is worth nothing", mend)
	case qmaildkim.PublishedDiffers:
		x.fault("the record at "+name+" does not publish this key, and verifiers will call the signature bad: "+p.Reason, mend+", or sign with the key that is published")
	case qmaildkim.PublishedRevoked:
		x.fault("the key at "+name+" is revoked: its p= is empty", "sign with another selector, whose key is published")
	case qmaildkim.PublishedTemporary:
		x.fault("the DNS does not say what is published at "+name+because(p.Reason), "ask again later; DNSCACHEIP and /etc/resolv.conf name the servers that are asked")
	}
	if p.Testing {
		x.note(name+" says t=y: verifiers may treat the mail as unsigned", "take t=y out of the record once all works")
	}
	if p.Bits < 2048 && p.Algorithm == "rsa-sha256" {
		x.note("the key has "+strconv.Itoa(p.Bits)+" bits, and 2048 are recommended (RFC 8301)", "")
	}
}

// recordLine returns the line of a zone that publishes a key.
func recordLine(s qmaildkim.Signed) string {
	text, err := keys.Record(s.Public, false)
	name, ok := keys.RecordName(s.Selector, s.Domain)
	if err != nil || !ok {
		return "none: the name is too long"
	}
	return keys.ZoneLine(name, text)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// judgeWarning says what a word of qmail-dkim's log warns of.
func (x *explainer) judgeWarning(word string, r *qmaildkim.Report) {
	if strings.HasPrefix(word, "key-") {
		return // of DKIMPREFLIGHT: judgePublished says more
	}
	switch word {
	case "world-readable-key":
		x.fault("everybody on this host can read the private key", "chmod 600 "+qmail.At(x.config.Home, slices.Concat(r.Signed, r.LeftOut)[0].Key))
	case "bare-cr":
		x.fault("the message holds a CR without LF, which becomes a line end when it is sent: the signature may not survive", "have the program that makes the mail write LF, or encode the body")
	case "no-extra-key":
		x.fault("there is no second signature: the key of DKIMSIGNEXTRA does not exist", "correct DKIMSIGNEXTRA"+x.setAt("DKIMSIGNEXTRA"))
	case "same-selector":
		x.fault("there is no second signature: the keys have the same selector", "give the key of DKIMSIGNEXTRA a selector of its own")
	case "relaxed-header":
		x.note("a header field has so many lines that it is signed with relaxed canonicalization", "")
	case "header-list":
		x.note("the header has so many fields that not all are signed", "")
	default:
		x.fault("qmail-dkim warns: "+word, mendList[word])
	}
}

var mendList = map[string]string{
	"bad-signaturedomains":   "make control/signaturedomains readable, or remove it",
	"bad-nosignaturedomains": "make control/nosignaturedomains readable, or remove it",
}
