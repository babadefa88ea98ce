package qmaildkim

import "strings"

// A recipientRule says to which envelope recipients signed mail goes: one of
// the addresses must be among them, or all of them must be in the list. The
// message is one for all recipients, so that one that matches signs it for
// the others.
type recipientRule struct {
	list []string // addr@host, @host, @.parent
	all  bool     // DKIMRCPTMATCH=all
}

// match reports whether mail to rcpts is to be signed, and the recipient that
// decided it, as given; empty where all decided. No recipient is no match.
func (r recipientRule) match(rcpts []string) (recipient string, ok bool) {
	for _, rcpt := range rcpts {
		switch listed := r.lists(rcpt); {
		case listed && !r.all:
			return rcpt, true
		case !listed && r.all:
			return "", false
		}
	}
	if r.all && len(rcpts) == 1 {
		return rcpts[0], true
	}
	return "", r.all && len(rcpts) > 0
}

// lists reports whether the list holds rcpt, its host or, as "@.parent", a
// domain above its host. Letters compare case-blind.
func (r recipientRule) lists(rcpt string) bool {
	host := rcpt[strings.LastIndexByte(rcpt, '@')+1:]
	for _, entry := range r.list {
		switch {
		case strings.HasPrefix(entry, "@."):
			parent := entry[1:]
			if n := len(host) - len(parent); n > 0 && strings.EqualFold(host[n:], parent) {
				return true
			}
		case strings.HasPrefix(entry, "@"):
			if len(host) < len(rcpt) && strings.EqualFold(host, entry[1:]) {
				return true
			}
		case strings.EqualFold(rcpt, entry):
			return true
		}
	}
	return false
}
