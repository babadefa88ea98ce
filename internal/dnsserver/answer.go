package dnsserver

import (
	"encoding/binary"
	"slices"

	"ucspi-go/internal/dns"
)

const (
	headerLen = 12
	maxUDP    = 512
	maxChain  = 16 // aliases followed, so that a loop of them ends
)

// A question is what a packet asks.
type question struct {
	name []byte // as packets carry it
	typ  uint16
	raw  []byte // name, type and class
}

func parseQuestion(p []byte) (question, bool) {
	at := headerLen
	for at < len(p) && p[at] != 0 {
		if p[at] > 63 {
			return question{}, false
		}
		at += 1 + int(p[at])
	}
	end := at + 5
	if len(p) < end {
		return question{}, false
	}
	return question{p[headerLen : at+1], binary.BigEndian.Uint16(p[at+1:]), p[headerLen:end]}, true
}

// node returns what the zone knows of a name.
func (z Zone) node(name []byte) *node {
	if n := z.nodes[dns.Text(name)]; n != nil {
		return n
	}
	return z.nodes["*"]
}

// A reply is what becomes of a query.
type reply struct {
	packets [][]byte // none when the query is to be left alone
	fault   string   // what the query met; sending knows hold, end, short and drip
}

// answer returns the reply to the query p. The caller serializes calls, since
// faults are counted.
func (z Zone) answer(p []byte, network string) reply {
	q, ok := parseQuestion(p)
	if !ok {
		return reply{}
	}
	n := z.node(q.name)
	if n == nil {
		return reply{packets: [][]byte{response(p, q, rcodes["NXDOMAIN"])}}
	}
	n.asked = true
	fault := n.meet(q.typ, network)
	if rcode, ok := rcodes[fault]; ok {
		return reply{packets: [][]byte{response(p, q, rcode)}}
	}
	if fault == lame {
		r := response(p, q, 0)
		r[2] &^= 4 // authoritative
		return reply{packets: [][]byte{r}}
	}
	full := z.records(response(p, q, 0), q)
	switch {
	case fault == timeout:
		return reply{}
	case fault == truncate || network == overUDP && len(full) > maxUDP:
		cut := response(p, q, 0)
		cut[2] |= 2
		return reply{[][]byte{cut}, fault}
	case fault == twice:
		return reply{[][]byte{full, full}, fault}
	case fault == wrongID:
		stray := response(p, q, 0)
		stray[0] ^= 0xff
		return reply{[][]byte{stray, full}, fault}
	}
	return reply{[][]byte{full}, fault}
}

// allAsked reports whether each name with a line of its own was asked for.
func (z Zone) allAsked() bool {
	for name, n := range z.nodes {
		if name != "*" && !n.asked {
			return false
		}
	}
	return true
}

// response returns an answer without records.
func response(p []byte, q question, rcode byte) []byte {
	r := make([]byte, headerLen)
	copy(r, p[:2])
	r[2] = 0x84 | p[2]&1 // response, authoritative, recursion desired as asked
	r[3] = 0x80 | rcode
	r[5] = 1
	return append(r, q.raw...)
}

// records appends the records of the type asked for to a response, aliases
// and what they lead to included.
func (z Zone) records(r []byte, q question) []byte {
	owner := []byte{0xc0, headerLen} // points to the name in the question
	count := uint16(0)
	put := func(rec record) {
		r = append(r, owner...)
		r = binary.BigEndian.AppendUint16(r, rec.typ)
		r = append(r, 0, 1)
		r = binary.BigEndian.AppendUint32(r, rec.ttl)
		r = binary.BigEndian.AppendUint16(r, uint16(len(rec.data)))
		r = append(r, rec.data...)
		count++
	}
	n := z.node(q.name)
	for range maxChain {
		if n == nil {
			break
		}
		for _, rec := range n.records {
			if rec.typ == q.typ {
				put(rec)
			}
		}
		i := slices.IndexFunc(n.records, func(rec record) bool { return rec.typ == typeCNAME })
		if i < 0 || q.typ == typeCNAME {
			break
		}
		alias := n.records[i]
		put(alias)
		owner, n = alias.data, z.node(alias.data)
	}
	binary.BigEndian.PutUint16(r[6:], count)
	return r
}
