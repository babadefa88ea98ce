package rules

import (
	"iter"
	"strings"
)

// keys yields the keys under which c is searched, the most specific first, in
// the order of ucspi-tcp 0.88 rules.c.
func (c Client) keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		_ = (c.Info == nil || c.infoKeys(yield)) &&
			yield(c.IP) &&
			(c.Host == nil || yield("="+*c.Host)) &&
			c.prefixes(yield) &&
			(c.Host == nil || c.suffixes(yield)) &&
			yield("")
	}
}

func (c Client) infoKeys(yield func(string) bool) bool {
	return yield(*c.Info+"@"+c.IP) && (c.Host == nil || yield(*c.Info+"@="+*c.Host))
}

// prefixes are those of the address that end in a dot, the longest first.
func (c Client) prefixes(yield func(string) bool) bool {
	for ip := c.IP; ip != ""; {
		ip = ip[:strings.LastIndexByte(ip, '.')+1]
		if ip == "" {
			break
		}
		if !yield(ip) {
			return false
		}
		ip = ip[:len(ip)-1]
	}
	return true
}

// suffixes are those of the host name that begin with a dot, the longest
// first, and the empty one.
func (c Client) suffixes(yield func(string) bool) bool {
	for host := *c.Host; ; {
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return yield("=")
		}
		if !yield("=" + host[dot:]) {
			return false
		}
		host = host[dot+1:]
	}
}

// decide reads the instructions of a record: pieces that end in a NUL, "D"
// first to deny, "+" first to set. Others, and bytes after the last NUL, say
// nothing.
func (d *Decision) decide(data string) {
	d.Data = data
	for {
		piece, rest, ok := strings.Cut(data, "\x00")
		if !ok {
			return
		}
		data = rest
		if setting, ok := strings.CutPrefix(piece, "+"); ok {
			if name, value, ok := strings.Cut(setting, "="); ok {
				d.Env = append(d.Env, Var{Name: name, Value: value})
			}
		} else if strings.HasPrefix(piece, "D") {
			d.Deny = true
		}
	}
}
