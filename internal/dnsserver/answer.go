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

// meet returns the fault that a query of a type meets, "" for none, and
// counts it.
func (n *node) meet(typ uint16) string {
	for i := range n.faults {
		f := &n.faults[i]
		if f.left != 0 && (f.typ == 0 || f.typ == typ) {
			f.left--
			return f.kind
		}
	}
	return ""
}

// answer returns the packets that answer the query p: none for a query that
// is to be left alone. The caller serializes calls, since faults are counted.
func (z Zone) answer(p []byte, udp bool) [][]byte {
	q, ok := parseQuestion(p)
	if !ok {
		return nil
	}
	n := z.node(q.name)
	if n == nil {
		return [][]byte{response(p, q, rcodes["NXDOMAIN"])}
	}
	fault := n.meet(q.typ)
	if rcode, ok := rcodes[fault]; ok {
		return [][]byte{response(p, q, rcode)}
	}
	if fault == timeout {
		return nil
	}
	full := z.records(response(p, q, 0), q)
	switch {
	case !udp:
		return [][]byte{full}
	case fault == truncate || len(full) > maxUDP:
		cut := response(p, q, 0)
		cut[2] |= 2
		return [][]byte{cut}
	case fault == twice:
		return [][]byte{full, full}
	case fault == wrongID:
		stray := response(p, q, 0)
		stray[0] ^= 0xff
		return [][]byte{stray, full}
	}
	return [][]byte{full}
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
		r = append(r, 0, 1, 0, 0, 0, 60)
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
