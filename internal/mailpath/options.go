package mailpath

import (
	"net/netip"
	"os"
	"strconv"

	"ucspi-go/internal/account"
	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/smtp"
)

// Usage is the command line, as the usage message and the manual have it.
const Usage = "mailpath [ -j ] [ -x rules.cdb ] [ -h host ] [ -i info ] [ -l localname ] [ -u user ] ip [ message [ recipient ... ] ]"

// defaultRules is the database that is asked without -x.
const defaultRules = "/etc/tcp.smtp.cdb"

type options struct {
	json       bool    // -j
	rules      string  // -x
	host, info *string // -h, -i; nil for unknown
	local      *string // -l; nil for unknown
	user       account.User
	ip         netip.Addr
	message    string // a file's name, "-" for standard input, empty for none
	recipients []string
}

func parse(args []string) (*options, error) {
	o := &options{rules: defaultRules}
	user := ""
	for opt, arg := range getopt.Parse(&args, "jx:h:i:l:u:") {
		switch opt {
		case 'j':
			o.json = true
		case 'x':
			o.rules = arg
		case 'h':
			o.host = &arg
		case 'i':
			o.info = &arg
		case 'l':
			o.local = &arg
		case 'u':
			user = arg
		default:
			return nil, prog.Usage(Usage, arg)
		}
	}
	if len(args) < 1 {
		return nil, prog.Usage(Usage, "")
	}
	var err error
	if o.ip, err = netip.ParseAddr(args[0]); err != nil {
		return nil, prog.Usage(Usage, strconv.QuoteToASCII(args[0])+" is not an IP address")
	}
	o.ip = o.ip.Unmap()
	if len(args) > 1 {
		o.message, o.recipients = args[1], args[2:]
	}
	for _, r := range o.recipients {
		if !smtp.Sendable(r) {
			return nil, prog.Usage(Usage, strconv.QuoteToASCII(r)+" is not an address that SMTP can carry")
		}
	}
	o.user, err = findUser(user)
	return o, err
}

// findUser returns the user for whom permissions count: the one that is named,
// else for root the one that usually runs qmail-smtpd, if there is one, else
// the one that asks.
func findUser(name string) (account.User, error) {
	self := account.User{UID: os.Geteuid(), GID: os.Getegid(), Name: account.Name(os.Geteuid())}
	if name == "" {
		if smtpd, ok := account.Find(account.SMTP); ok && self.UID == 0 {
			return smtpd, nil
		}
		return self, nil
	}
	user, ok := account.Find(name)
	if !ok {
		return user, prog.Fatal(100, "unable to find the user "+strconv.QuoteToASCII(name), nil)
	}
	if user.GID < 0 {
		user.GID = user.UID // better than to keep a group of root's
	}
	return user, nil
}
