package ruleslint

import (
	"strconv"
	"strings"

	"ucspi-go/rules"
)

// mostRelay is how many addresses of the Internet may relay by one rule before
// that looks like a slip.
const mostRelay = 1 << 20

// relay looks at who may relay.
func (l *linter) relay(rule rules.Rule) {
	if _, relays := environ(rule).Lookup("RELAYCLIENT"); !relays {
		return
	}
	const mend = "; give RELAYCLIENT to the addresses of your own clients"
	switch kind := kindOf(rule); {
	case kind == rules.Everybody:
		l.find(kindOpenRelay, "an open relay: the rule lets everybody send mail to anywhere"+mend)
	case rule.Address == "=":
		l.find(kindOpenRelay, "an open relay: the rule lets everybody who has a name in the DNS send mail to anywhere"+mend)
	case kind == rules.NameSuffix && strings.Count(rule.Address, ".") == 1:
		l.find(kindWide, "all hosts whose names end in "+rule.Address[1:]+" may relay"+mend)
	case kind == rules.Name || kind == rules.NameSuffix || kind == rules.InfoAtName:
		if l.server == nil || l.server.RemoteHost && !l.server.Paranoid {
			l.find(kindForged, "anybody can give his address that name in the DNS, and then relay, unless tcpserver has -p; write addresses, or use -p and tell tcpruleslint -o -p")
		}
	case kind == rules.AddressPrefix:
		if n := public(rule); n >= mostRelay {
			l.find(kindWide, strconv.Itoa(n)+" addresses of the Internet may relay"+mend)
		}
	}
}

// public returns how many addresses of the Internet the prefixes of a rule
// cover: without those of loopback and private networks (RFC 1918, RFC 6598,
// RFC 3927).
func public(rule rules.Rule) (n int) {
	for key := range rule.Keys() {
		base, parts, _ := dotted(key)
		first, second := base>>24, base>>16&255
		all := 1 << (32 - 8*parts)
		switch {
		case first == 0 || first == 10 || first == 127 || first >= 224:
		case parts == 1:
			n += all - private[first]<<16
		case first == 172 && second>>4 == 1, first == 192 && second == 168, first == 100 && second>>6 == 1, first == 169 && second == 254:
		default:
			n += all
		}
	}
	return n
}

// private is how many of the networks with that first number are private, by
// the second number.
var private = map[uint32]int{172: 16, 192: 1, 100: 64, 169: 1}
