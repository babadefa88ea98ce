package dnsserver

import (
	"fmt"
	"strconv"
)

// A fault is a misbehaviour on purpose.
type fault struct {
	kind    string
	typ     uint16 // of the queries that meet it; 0 for all
	network string // of the queries that meet it, empty for both
	left    int    // queries that will meet it; negative for all
}

// rcodes are the faults that answer with a code and no records.
var rcodes = map[string]byte{"FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}

// The other faults.
const (
	timeout  = "TIMEOUT"  // no answer
	lame     = "LAME"     // no records, and no zone that they could be in
	truncate = "TRUNCATE" // an answer that says it did not fit
	twice    = "TWICE"    // the answer, twice
	wrongID  = "WRONGID"  // first an empty answer to some other query
	hold     = "HOLD"     // no answer before every name of the zone was asked for
	end      = "CLOSE"    // the connection ends without an answer
	short    = "SHORT"    // it ends in the middle of one
	drip     = "DRIP"     // one byte at a time
)

const (
	overUDP = "udp"
	overTCP = "tcp"
)

// networks are where the faults are met that are not for both networks, unless
// the zone says otherwise. Hold is for UDP alone, the last three for TCP.
var networks = map[string]string{truncate: overUDP, twice: overUDP, wrongID: overUDP, hold: overUDP, end: overTCP, short: overTCP, drip: overTCP}

func parseFault(kind string, args []string) (fault, error) {
	f := fault{kind: kind, network: networks[kind], left: -1}
	if _, ok := rcodes[kind]; !ok && f.network == "" && kind != timeout && kind != lame {
		return f, fmt.Errorf("unknown type %q", kind)
	}
	for _, arg := range args {
		if typ, ok := types[arg]; ok {
			f.typ = typ
			continue
		}
		switch arg {
		case "UDP":
			f.network = overUDP
			continue
		case "TCP":
			f.network = overTCP
			continue
		}
		n, err := strconv.Atoi(arg)
		if err != nil {
			return f, fmt.Errorf("neither a type nor a network nor a count: %q", arg)
		}
		f.left = n
	}
	return f, nil
}

// meet returns the fault that a query meets, "" for none, and counts it.
func (n *node) meet(typ uint16, network string) string {
	for i := range n.faults {
		f := &n.faults[i]
		if f.left != 0 && (f.typ == 0 || f.typ == typ) && (f.network == "" || f.network == network) {
			f.left--
			return f.kind
		}
	}
	return ""
}
