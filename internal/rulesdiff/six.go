package rulesdiff

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// bySix finds the changes for IPv6 clients of which the address is known, and
// perhaps remote info. There are too many addresses to compare all: for each
// rule some clients are tried.
func (d *diff) bySix() {
	keys := maps.Clone(d.before.six)
	maps.Copy(keys, d.after.six)
	random := rand.New(rand.NewPCG(1, 1)) // the same for the same rules
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		var first *change
		for _, c := range samples(key, random) {
			oldKey, old := d.before.lookupSix(c)
			newKey, now := d.after.lookupSix(c)
			if old == now || oldKey != key && newKey != key {
				continue
			}
			change := change{before: told(old, now), after: now, order: bySix, names: []string{d.tellSix(key)}}
			// Where no longer rule decides on the other side, it is this one
			// that has changed.
			if longer(oldKey, key) || longer(newKey, key) {
				if first == nil {
					first = &change
				}
				continue
			}
			first = &change
			break
		}
		if first != nil {
			d.changes = append(d.changes, *first)
		}
	}
	old, now := d.before.everybody, d.after.everybody
	if old != now && (d.before.network || d.after.network) && !slices.ContainsFunc(d.changes, func(c change) bool { return c.order == byEverybody }) {
		d.changes = append(d.changes, change{before: told(old, now), after: now, order: bySix, names: []string{"everybody else with an IPv6 address"}})
	}
}

// longer reports whether a key is searched before another.
func longer(key, than string) bool {
	a, b := rules.KindOf(key), rules.KindOf(than)
	return a < b || a == b && len(key) > len(than)
}

// lookupSix returns what a side does to an IPv6 client without a name.
func (s *side) lookupSix(c rules.Client) (key string, e *effect) {
	for key := range c.Keys() {
		if e := s.six[key]; e != nil {
			return key, e
		}
	}
	return "", s.everybody
}

// tellSix names the clients that have a key. Those of a block or prefix are
// meant as far as no longer rule is for them.
func (d *diff) tellSix(key string) string {
	kind := rules.KindOf(key)
	text := ucspi.Escape(rules.AddressOf(key))
	if kind == rules.AddressPrefix || kind == rules.AddressBlock {
		return text + " apart from longer rules"
	}
	return text
}

// samples returns clients that have a key.
func samples(key string, random *rand.Rand) (clients []rules.Client) {
	var info *string
	text := rules.AddressOf(key)
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		who := text[:at]
		info, text = &who, text[at+1:]
	}
	const most = 16
	for i := range most {
		var addr netip.Addr
		if block, err := netip.ParsePrefix(text); err == nil {
			addr = within(block, i, random)
		} else if addr, err = netip.ParseAddr(text); err != nil || i > 0 {
			addr, _ = netip.ParseAddr(completed(text, i, random))
		}
		c := rules.Client{IP: addr.String(), Info: info}
		for k := range c.Keys() {
			if k == key {
				clients = append(clients, c)
				break
			}
		}
	}
	return clients
}

// within returns an address of a block: at random, its first ones, and then
// some of which the bits behind the prefix are 0 for the most part.
func within(block netip.Prefix, i int, random *rand.Rand) netip.Addr {
	raw := block.Masked().Addr().As16()
	for bit := block.Bits(); bit < 128; bit++ {
		set := random.IntN(2)
		switch i % 4 {
		case 1:
			set = i / 4 >> min(127-bit, 8) & 1
		case 2:
			set *= random.IntN(2) * random.IntN(2)
		}
		raw[bit/8] |= byte(set) << (7 - bit%8)
	}
	return netip.AddrFrom16(raw)
}

// completed returns an address that begins as a prefix says.
func completed(prefix string, i int, random *rand.Rand) string {
	group := func() string { return string("123456789abcdef"[random.IntN(15)]) + "5" }
	if strings.Contains(prefix, "::") {
		return prefix + group()
	}
	if i%2 == 1 {
		return prefix + ":" + group()
	}
	all := strings.Split(strings.TrimSuffix(prefix, ":"), ":")
	for len(all) < 8 {
		all = append(all, group())
	}
	return strings.Join(all, ":")
}
