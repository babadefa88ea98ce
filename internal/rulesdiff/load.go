package rulesdiff

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"ucspi-go/rules"
)

// A side is one of the two sets of rules, taken apart by the kinds of keys.
type side struct {
	addresses [levels][]piece    // blocks by their length, then prefixes by how many numbers there are in them
	six       map[string]*effect // keys of IPv6
	network   bool               // there are such, or blocks: who wrote the rules thinks of IPv6
	names     map[string]*effect // "mail.example.com"
	suffixes  map[string]*effect // ".example.com"; "" for whoever has a name
	infos     map[infoKey]*effect
	infoNames map[string][]string // the names that rules for that remote info have: "=mail.example.com"
	everybody *effect             // never nil

	// Of the names that either side has rules for, what this side does.
	groups     []nameGroup
	infoGroups map[string][]nameGroup // by remote info
}

// Of the rules that have an address that of the last level decides.
const (
	prefixes = 33 // the level of those of no number, of which there are none
	levels   = prefixes + 5
)

// A piece is addresses that one key, or several of one rule, decide about.
type piece struct {
	low, high uint32
	effect    *effect
}

// An infoKey is remote info at an address or with a name: "192.0.2.1" or
// "=mail.example.com".
type infoKey struct{ info, at string }

func newSide(all effects) *side {
	return &side{
		six:       make(map[string]*effect),
		names:     make(map[string]*effect),
		suffixes:  make(map[string]*effect),
		infos:     make(map[infoKey]*effect),
		infoNames: make(map[string][]string),
		everybody: all.of(rules.Decision{}), // as it is without a rule
	}
}

// loadText reads the text form. The error is a *rules.SyntaxError.
func loadText(text []byte, all effects) (*side, error) {
	set, err := rules.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	s := newSide(all)
	var owners rules.Owners
	for i, rule := range set.Rules {
		e := all.of(rule.Decision(""))
		for _, part := range rule.Parts() {
			owners.Add(part, i, func(p rules.Part, owner int) {
				if owner == i {
					s.add(p, e)
				}
			})
		}
	}
	return s, nil
}

// loadDatabase reads a cdb. The error is one of rules.NewDB or a lookup.
func loadDatabase(name string, data []byte, all effects) (*side, error) {
	db, err := rules.NewDB(name, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	s := newSide(all)
	for d, err := range db.Records() {
		if err != nil {
			return nil, err
		}
		s.add(rules.PartOf(d.Key), all.of(d))
	}
	return s, nil
}

// add notes what is done to the clients that have one of the keys.
func (s *side) add(p rules.Part, e *effect) {
	key := p.Key(p.Low)
	kind := rules.KindOf(key)
	six := isSix(key, kind)
	s.network = s.network || six || kind == rules.AddressBlock
	if six {
		s.six[key] = e
		return
	}
	switch kind {
	case rules.Address, rules.AddressPrefix:
		low, numbers := address(key)
		size := uint32(1) << (32 - 8*numbers) // 0 for no numbers, which is no address
		s.addresses[prefixes+numbers] = append(s.addresses[prefixes+numbers], piece{low, low + uint32(p.Top-p.Low)*size + size - 1, e})
	case rules.AddressBlock:
		block := netip.MustParsePrefix(rules.AddressOf(key))
		low, _ := address(block.Addr().String())
		s.addresses[block.Bits()] = append(s.addresses[block.Bits()], piece{low, low + uint32(1<<(32-block.Bits())-1), e})
	case rules.Name:
		s.names[key[1:]] = e
	case rules.NameSuffix:
		s.suffixes[key[1:]] = e
	case rules.InfoAtAddress, rules.InfoAtName:
		for n := p.Low; n <= p.Top; n++ {
			key := p.Key(n)
			at := strings.LastIndexByte(key, '@')
			k := infoKey{key[:at], key[at+1:]}
			if s.infos[k] = e; k.at[0] == '=' {
				s.infoNames[k.info] = append(s.infoNames[k.info], k.at)
			}
		}
	case rules.Everybody:
		s.everybody = e
	}
}

// isSix reports whether IPv6 clients have a key because of their address.
func isSix(key string, kind rules.Kind) bool {
	switch kind {
	case rules.InfoAtAddress, rules.Address, rules.AddressPrefix:
		return strings.Contains(key[strings.LastIndexByte(key, '@')+1:], ":")
	case rules.AddressBlock:
		return strings.Contains(rules.AddressOf(key), ":")
	}
	return false
}

// addressless reports whether no rule names an address.
func (s *side) addressless() bool {
	for _, pieces := range s.addresses {
		if len(pieces) > 0 {
			return false
		}
	}
	return len(s.six) == 0
}

// address returns the first address of a key and how many numbers it has.
func address(key string) (low uint32, numbers int) {
	for part := range strings.SplitSeq(strings.TrimSuffix(key, "."), ".") {
		n, _ := strconv.Atoi(part)
		low |= uint32(n) << (24 - 8*numbers)
		numbers++
	}
	return low, numbers
}
