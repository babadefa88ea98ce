package tcpserver

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// Limits are variables of a client's rule; those of the server's own
// environment say nothing. The names that other tcpservers read keep their
// meaning: docs/limits.md.
const (
	maxConIP  = "MAXCONIP"  // ucspi-ssl
	maxConnIP = "MAXCONNIP" // the limits patch of 2006, qmailtoaster
	maxConnC  = "MAXCONNC"  // the same, for the client's network
	maxPerIP  = "MAXPERIP"  // indimail: 0 is no limit
	maxRateIP = "MAXRATEIP" // our own, as NUMBER or NUMBER/SECONDS
	maxRateC  = "MAXRATEC"

	limitPrefix4 = "LIMITPREFIX4" // bits of a network
	limitPrefix6 = "LIMITPREFIX6"

	dieMsg = "DIEMSG" // what the refused hear, as the limits patch
)

// What programs get when a limit is in use: connections from the client's
// address at this time, their own among them.
const (
	connNum     = "TCPCONNNUM"     // s6-tcpserver
	concurrency = "TCPCONCURRENCY" // ipsvd tcpsvd
)

// A limit is one variable of a rule that bounds connections.
type limit struct {
	rules.Var
	block block // of addresses that count together
	most  uint64
	rate  rate // zero: most is the number at the same time
}

// limits returns what a rule's variables limit for a client, nil for nothing.
// Numbers are read as tcpserver's options are: leading digits, none being 0.
func limits(client netip.Addr, vars []rules.Var) []limit {
	var list []limit
	set := func(v rules.Var) {
		list = slices.DeleteFunc(list, func(l limit) bool { return l.Name == v.Name }) // the later one wins
		list = append(list, limit{Var: v, most: prog.Leading(v.Value)})
	}
	bits4, bits6 := uint64(24), uint64(64)
	for _, v := range vars {
		switch v.Name {
		case maxConIP, maxConnIP, maxConnC, maxRateIP, maxRateC:
			set(v)
		case maxPerIP:
			set(v)
			if list[len(list)-1].most == 0 {
				list = list[:len(list)-1]
			}
		case limitPrefix4:
			bits4 = min(prog.Leading(v.Value), 32)
		case limitPrefix6:
			bits6 = min(prog.Leading(v.Value), 128)
		}
	}
	for i := range list {
		l := &list[i]
		bits := uint64(128)
		if l.Name == maxConnC || l.Name == maxRateC {
			bits = bits6
			if client.Unmap().Is4() {
				bits = bits4 + 96
			}
		}
		l.block = blockOf(client, uint8(bits))
		if l.Name == maxRateIP || l.Name == maxRateC {
			l.rate = parseRate(l.Value)
		}
	}
	return list
}

// A rate is so many connections at once, and one more after each part of the
// time.
type rate struct{ each, burst time.Duration }

// parseRate reads NUMBER/SECONDS; without seconds, or with 0, it is a minute.
func parseRate(s string) rate {
	const longest = 24 * time.Hour
	n, digits := prog.Number(s)
	window := time.Minute
	if rest := s[digits:]; rest != "" && rest[0] == '/' {
		if d := seconds(prog.Leading(rest[1:])); d > 0 {
			window = min(d, longest)
		}
	}
	if n == 0 {
		return rate{each: math.MaxInt64 / 2, burst: 1} // never
	}
	return rate{each: window / time.Duration(min(n, uint64(window))), burst: window}
}

// message returns what a refused client hears before the connection is
// closed, empty for nothing.
func message(vars []rules.Var) string {
	text := ""
	for _, v := range vars {
		if v.Name == dieMsg {
			text = v.Value
		}
	}
	if text != "" {
		text += "\r\n"
	}
	return text
}
