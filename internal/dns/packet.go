package dns

import (
	"encoding/binary"
	"syscall"
)

// Record types that the resolver asks for.
const (
	typeA     = 1
	typeNS    = 2
	typeCNAME = 5
	typePTR   = 12
	typeMX    = 15
	typeTXT   = 16
	typeAAAA  = 28

	classIN = 1
)

const headerLen = 12

// query returns a packet that asks for the records of a type, with recursion
// desired and no id yet.
func query(name []byte, typ uint16) []byte {
	p := make([]byte, headerLen, headerLen+len(name)+4)
	p[2] = 1 // recursion desired
	p[5] = 1 // one question
	p = append(p, name...)
	p = binary.BigEndian.AppendUint16(p, typ)
	return binary.BigEndian.AppendUint16(p, classIN)
}

// answers reports whether the packet p is a response to the packet q: same
// id, same question. C takes the query itself, sent back, for a response.
func answers(p, q []byte) bool {
	if len(p) < headerLen || p[0] != q[0] || p[1] != q[1] || p[2]&0x80 == 0 || p[4] != 0 || p[5] != 1 {
		return false
	}
	name, at, err := readName(p, headerLen)
	if err != nil || len(p) < at+4 {
		return false
	}
	asked := q[headerLen:]
	return sameName(name, asked[:len(asked)-4]) && string(p[at:at+4]) == string(asked[len(asked)-4:])
}

// authoritative reports whether the server answers for a zone of its own.
func authoritative(p []byte) bool { return p[2]&4 != 0 }

// truncated reports whether the response must be asked for over TCP.
func truncated(p []byte) bool { return p[2]&2 != 0 }

const nxdomain = 3

func rcode(p []byte) byte { return p[3] & 15 }

// failed reports whether the server did not answer the question. NXDOMAIN is
// an answer.
func failed(p []byte) bool { return rcode(p) != 0 && rcode(p) != nxdomain }

// A record is the data of one record within the packet that holds it, since
// names in the data may point elsewhere.
type record struct {
	packet []byte
	owner  int // offset of the record's own name
	start  int
	data   []byte
	ttl    uint32 // seconds that it may be kept, with the aliases that lead to it
}

// records returns the records of a type among the answers in a response. They
// count whatever their owner, which is how aliases are followed: a server
// that recurses sends the whole chain. Syscall.EPROTO if the packet is
// malformed. As ucspi-tcp 0.88 dns_ip.c.
func records(p []byte, typ uint16) ([]record, error) {
	if len(p) < headerLen {
		return nil, syscall.EPROTO
	}
	at, err := skipName(p, headerLen)
	if err != nil {
		return nil, err
	}
	at += 4
	var found []record
	ttl := uint32(maxTTL)
	for n := binary.BigEndian.Uint16(p[6:]); n > 0; n-- {
		owner := at
		if at, err = skipName(p, at); err != nil {
			return nil, err
		}
		if len(p)-at < 10 {
			return nil, syscall.EPROTO
		}
		fixed := p[at : at+10]
		at += 10
		size := int(binary.BigEndian.Uint16(fixed[8:]))
		if len(p)-at < size {
			return nil, syscall.EPROTO
		}
		ttl = min(ttl, lifetime(fixed[4:]))
		if binary.BigEndian.Uint16(fixed) == typ && binary.BigEndian.Uint16(fixed[2:]) == classIN {
			found = append(found, record{packet: p, owner: owner, start: at, data: p[at : at+size]})
		}
		at += size
	}
	// An answer lasts as long as the shortest link of its chain, and records
	// of one kind are to have the same time anyway (RFC 2181 section 5.2).
	for i := range found {
		found[i].ttl = ttl
	}
	return found, nil
}

const maxTTL = 1<<31 - 1

// lifetime reads a TTL, in seconds. One above maxTTL is 0 (RFC 2181 section 8).
func lifetime(p []byte) uint32 {
	if ttl := binary.BigEndian.Uint32(p); ttl <= maxTTL {
		return ttl
	}
	return 0
}

// name returns the name that the data of the record is.
func (r record) name() ([]byte, error) {
	name, _, err := readName(r.packet, r.start)
	return name, err
}

// of reports whether the record is one of the name.
func (r record) of(name []byte) bool {
	owner, _, err := readName(r.packet, r.owner)
	return err == nil && sameName(owner, name)
}

// exchanger returns the mail exchanger that the data of the record is.
func (r record) exchanger() (MX, error) {
	if len(r.data) < 2 {
		return MX{}, syscall.EPROTO
	}
	name, _, err := readName(r.packet, r.start+2)
	return MX{binary.BigEndian.Uint16(r.data), Text(name)}, err
}

// text returns the strings in the data of the record, joined. A last string
// that is cut off counts as far as it goes.
func (r record) text() string {
	var b []byte
	for d := r.data; len(d) > 0; {
		n := min(int(d[0]), len(d)-1)
		b = append(b, d[1:1+n]...)
		d = d[1+n:]
	}
	return string(b)
}

// skipName returns the offset after the name at an offset.
func skipName(p []byte, at int) (int, error) {
	for at < len(p) {
		n := int(p[at])
		switch {
		case n >= 0xc0:
			return at + 2, nil
		case n > maxLabel:
			return 0, syscall.EPROTO
		case n == 0:
			return at + 1, nil
		}
		at += 1 + n
	}
	return 0, syscall.EPROTO
}

// readName returns the name at an offset, with its pointers followed, and the
// offset after it. The bound on hops ends a loop of pointers; a loop with
// labels in it ends by the length of a name.
func readName(p []byte, at int) (name []byte, after int, err error) {
	if after, err = skipName(p, at); err != nil {
		return nil, 0, err
	}
	for hops := 0; hops < maxName; {
		if at >= len(p) {
			break
		}
		n := int(p[at])
		if n >= 0xc0 {
			if at+1 >= len(p) {
				break
			}
			at = n&0x3f<<8 | int(p[at+1])
			hops++
			continue
		}
		if n > maxLabel || at+1+n > len(p) || len(name)+1+n > maxName {
			break
		}
		name = append(name, p[at:at+1+n]...)
		if n == 0 {
			return name, after, nil
		}
		at += 1 + n
	}
	return nil, 0, syscall.EPROTO
}
