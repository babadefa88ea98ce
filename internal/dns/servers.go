package dns

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"ucspi-go/internal/prog"
)

const (
	maxServers = 16
	port       = 53
)

// readServers returns the servers to ask: those of $DNSCACHEIP, else those of
// resolv.conf, else the one on this host.
func (r *Resolver) readServers() ([]netip.AddrPort, error) {
	text, _ := r.lookup("DNSCACHEIP")
	servers := cacheIP(text)
	if len(servers) == 0 {
		conf, err := readFile(r.resolvConf)
		if err != nil {
			return nil, err
		}
		servers = nameservers(conf)
	}
	if len(servers) == 0 {
		servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)}
	}
	// C lists an unspecified address, and never asks it.
	return slices.DeleteFunc(servers, func(s netip.AddrPort) bool { return s.Addr().IsUnspecified() }), nil
}

// readFile returns nothing for a file that does not exist.
func readFile(name string) ([]byte, error) {
	data, err := prog.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// cacheIP returns the servers that $DNSCACHEIP lists: IPv4 addresses joined
// by dots, up to the first other byte, as ucspi-tcp 0.88 dns_rcip.c.
//
// Unlike ucspi-tcp 0.88, a list of IP:PORT and [IP6]:PORT, either without its
// port, separated by blanks or commas, is understood too. C would stop at its
// first colon.
func cacheIP(text string) []netip.AddrPort {
	if strings.Contains(text, ":") {
		if servers := withPorts(text); servers != nil {
			return servers
		}
	}
	var servers []netip.AddrPort
	for len(servers) < maxServers {
		text = strings.TrimLeft(text, ".")
		addr, n := scanIP(text)
		if n == 0 {
			break
		}
		servers = append(servers, netip.AddrPortFrom(addr, port))
		text = text[n:]
	}
	return servers
}

// withPorts returns nil if any part of the list is not understood.
func withPorts(text string) []netip.AddrPort {
	var servers []netip.AddrPort
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' }) {
		server, err := netip.ParseAddrPort(word)
		if err != nil {
			addr, err := netip.ParseAddr(strings.Trim(word, "[]"))
			if err != nil {
				return nil
			}
			server = netip.AddrPortFrom(addr, port)
		}
		servers = append(servers, server)
	}
	return servers[:min(len(servers), maxServers)]
}

// nameservers returns the servers that a resolv.conf names. Unlike ucspi-tcp
// 0.88, which knows IPv4 alone, IPv6 addresses count.
func nameservers(conf []byte) []netip.AddrPort {
	var servers []netip.AddrPort
	for line := range bytes.Lines(conf) {
		rest, ok := bytes.CutPrefix(line, []byte("nameserver"))
		if !ok || len(rest) == 0 || rest[0] != ' ' && rest[0] != '\t' || len(servers) == maxServers {
			continue
		}
		words := bytes.Fields(rest)
		if len(words) == 0 {
			continue
		}
		addr, n := scanIP(string(words[0]))
		if n == 0 {
			var err error
			if addr, err = netip.ParseAddr(string(words[0])); err != nil {
				continue
			}
		}
		servers = append(servers, netip.AddrPortFrom(addr, port))
	}
	return servers
}

// scanIP reads a dotted address from the start of text and returns the count
// of bytes read, 0 for none. Numbers are decimal and cut to eight bits. As
// ucspi-tcp 0.88 ip4_scan.c.
func scanIP(text string) (netip.Addr, int) {
	var ip [4]byte
	at := 0
	for i := range ip {
		if i > 0 {
			if at == len(text) || text[at] != '.' {
				return netip.Addr{}, 0
			}
			at++
		}
		number, n := prog.Number(text[at:])
		if n == 0 {
			return netip.Addr{}, 0
		}
		ip[i] = byte(number)
		at += n
	}
	return netip.AddrFrom4(ip), at
}
