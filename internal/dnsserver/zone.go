package dnsserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"ucspi-go/internal/dns"
)

// A Zone is what one Server answers from, which counts its faults.
type Zone struct {
	nodes map[string]*node // by name as dns.Text writes it
}

// A node is what is known of one name.
type node struct {
	records []record
	faults  []fault
	asked   bool
}

type record struct {
	typ  uint16
	ttl  uint32 // seconds
	data []byte
}

var types = map[string]uint16{"A": 1, "NS": 2, "CNAME": typeCNAME, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}

const (
	typeCNAME  = 5
	defaultTTL = 60 // seconds
)

// ParseZone reads a zone: one record or fault a line.
//
//	NAME [TTL] [IN] TYPE VALUE     A AAAA CNAME NS PTR TXT, MX with its preference
//	NAME FAULT [TYPE] [NETWORK] [COUNT]
//
// The faults are listed in fault.go. One with a TYPE concerns queries of that
// type alone, one with a NETWORK, UDP or TCP, those that come over it, one with
// a COUNT the first so many queries. The name "*" stands for every name without a
// line of its own. In names \ooo is the byte with that octal number. A TXT
// value is the rest of the line, or quoted strings, which parentheses may
// enclose. Empty lines and those that begin with "#" do not count.
func ParseZone(text string) (Zone, error) {
	z := Zone{map[string]*node{}}
	line := 0
	for s := range strings.Lines(text) {
		line++
		s = strings.TrimSpace(s)
		if s == "" || s[0] == '#' {
			continue
		}
		if err := z.add(s); err != nil {
			return Zone{}, fmt.Errorf("dnsserver: line %d: %w", line, err)
		}
	}
	return z, nil
}

func (z Zone) add(line string) error {
	name, rest := word(line)
	kind, value := word(rest)
	ttl := uint64(defaultTTL)
	if n, err := strconv.ParseUint(kind, 10, 32); err == nil {
		ttl = n
		kind, value = word(value)
	}
	if kind == "IN" {
		kind, value = word(value)
	}
	key := name
	if name != "*" {
		wire, err := dns.Wire(name)
		if err != nil {
			return fmt.Errorf("name %q: %w", name, err)
		}
		key = dns.Text(wire)
	}
	n := z.nodes[key]
	if n == nil {
		n = &node{}
		z.nodes[key] = n
	}
	if typ, ok := types[kind]; ok {
		data, err := parseData(typ, value)
		if err != nil {
			return fmt.Errorf("%s %q: %w", kind, value, err)
		}
		n.records = append(n.records, record{typ, uint32(ttl), data})
		return nil
	}
	f, err := parseFault(kind, strings.Fields(value))
	if err != nil {
		return err
	}
	n.faults = append(n.faults, f)
	return nil
}

var errAddress = errors.New("not an address of that kind")

func parseData(typ uint16, value string) ([]byte, error) {
	switch typ {
	case types["A"], types["AAAA"]:
		addr, err := netip.ParseAddr(value)
		if err != nil || addr.Is4() != (typ == types["A"]) {
			return nil, errAddress
		}
		return addr.AsSlice(), nil
	case types["MX"]:
		preference, host := word(value)
		n, err := strconv.ParseUint(preference, 10, 16)
		if err != nil {
			return nil, err
		}
		wire, err := dns.Wire(host)
		return append(binary.BigEndian.AppendUint16(nil, uint16(n)), wire...), err
	case types["TXT"]:
		return parseText(value), nil
	}
	return dns.Wire(value)
}

// parseText returns the strings of a TXT record, each after its length.
func parseText(value string) []byte {
	if strings.HasPrefix(value, "(") {
		value = strings.Trim(value, "() \t")
	}
	var data []byte
	put := func(s string) {
		data = append(append(data, byte(len(s))), s...)
	}
	if !strings.HasPrefix(value, `"`) {
		for ; len(value) > 255; value = value[255:] {
			put(value[:255])
		}
		put(value)
		return data
	}
	for i, s := range strings.Split(value, `"`) {
		if i%2 == 1 {
			put(s[:min(len(s), 255)])
		}
	}
	return data
}

// word returns the first word and what follows the blanks after it.
func word(s string) (first, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}
