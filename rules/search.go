package rules

import (
	"iter"
	"net/netip"
	"strings"
)

// Keys yields the keys under which c is searched in a database of which nothing
// is known, in their order.
func (c Client) Keys() iter.Seq[string] {
	return func(yield func(string) bool) { c.search(nil, yield) }
}

// search calls ask with the keys under which c is searched in db, the most
// specific first, until it returns false: those of ucspi-tcp 0.88 rules.c in
// its order, and before the last of them, which is that of all clients, the
// blocks of addresses.
func (c Client) search(db *DB, ask func(key string) (more bool)) {
	texts := []string{c.IP}
	if strings.Contains(c.IP, ":") {
		texts = ipv6Texts(c.IP, db)
	}
	_ = (c.Info == nil || c.infoKeys(texts, ask)) &&
		all(texts, "", ask) &&
		(c.Host == nil || ask("="+*c.Host)) &&
		prefixes(texts, ask) &&
		(c.Host == nil || c.suffixes(ask)) &&
		blocks(texts[0], db, ask) &&
		ask("")
}

// ipv6Texts returns the texts of an IPv6 address that are keys: that of RFC
// 5952, and those of Debian's ucspi-tcp-ipv6 and of ucspi-tcp6, so that their
// databases are understood.
func ipv6Texts(ip string, db *DB) []string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return []string{ip}
	}
	addr = addr.WithZone("").Unmap()
	texts := []string{addr.String()}
	if addr.Is6() {
		if debian := debianText(texts[0]); debian != texts[0] {
			texts = append(texts, debian)
		}
		if db.holds().expanded {
			texts = append(texts, strings.ToUpper(addr.StringExpanded()))
		}
	}
	return texts
}

// debianText returns an address of RFC 5952 as ucspi-tcp-ipv6 writes it, with
// "::" also for a single group of zeros.
func debianText(text string) string {
	if strings.Contains(text, "::") {
		return text
	}
	if rest, first := strings.CutPrefix(text, "0:"); first {
		return "::" + rest
	}
	if start, last := strings.CutSuffix(text, ":0"); last && !strings.Contains(start, ":0:") {
		return start + "::"
	}
	return strings.Replace(text, ":0:", "::", 1)
}

func (c Client) infoKeys(texts []string, ask func(string) bool) bool {
	return all(texts, *c.Info+"@", ask) && (c.Host == nil || ask(*c.Info+"@="+*c.Host))
}

func all(texts []string, before string, ask func(string) bool) bool {
	for _, text := range texts {
		if !ask(before + text) {
			return false
		}
	}
	return true
}

// prefixes are those of the address that end in a dot, or for IPv6 in a colon,
// the longest first.
func prefixes(texts []string, ask func(string) bool) bool {
	for i, ip := range texts {
		sep := byte('.')
		if strings.Contains(ip, ":") {
			sep = ':'
		}
		common := 0
		if i > 0 {
			common = strings.Index(ip, "::") + 1 // up to there it is as texts[0]
		}
		if i > 0 && common == 0 {
			continue // ucspi-tcp6 has no such keys
		}
		for ip != "" {
			ip = ip[:strings.LastIndexByte(ip, sep)+1]
			if len(ip) <= common {
				break
			}
			if !ask(ip) {
				return false
			}
			ip = ip[:len(ip)-1]
		}
	}
	return true
}

// blocks are the blocks of addresses with that address, the smallest first.
func blocks(ip string, db *DB, ask func(string) bool) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return true
	}
	lengths := db.holds().blocks4[:]
	if addr.Is6() {
		lengths = db.holds().blocks6[:]
	}
	key := ""
	for n := len(lengths) - 1; n >= 0; n-- {
		if !lengths[n] {
			continue
		}
		if key == "" {
			key = blockKey(netip.PrefixFrom(addr, n))
		}
		if !ask(key[:1+n]) {
			return false
		}
	}
	return true
}

// suffixes are those of the host name that begin with a dot, the longest
// first, and the empty one.
func (c Client) suffixes(ask func(string) bool) bool {
	for host := *c.Host; ; {
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return ask("=")
		}
		if !ask("=" + host[dot:]) {
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
