//go:build conformance

package tcprules_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A generator makes rules files and clients out of pieces that are near the
// corners of the language.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0))}
}

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// one reports true once in n times.
func (g generator) one(n int) bool { return g.IntN(n) == 0 }

func (g generator) file() []byte {
	var b bytes.Buffer
	lines := g.IntN(40)
	if g.one(20) {
		lines = 2000
	}
	for range lines {
		b.WriteString(g.line(lines))
	}
	text := b.Bytes()
	if g.one(4) {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	if g.one(8) && len(text) > 0 { // one byte is another
		text[g.IntN(len(text))] = g.pick("\x00", "\r", "\n", ":", ",", "=", "\"", "-", "@", "#", "\xff", " ", "9", ".")[0]
	}
	return text
}

// line is bad once in a while, but not so often that most files are.
func (g generator) line(lines int) string {
	end := g.pick("\n", "\n", "\n", " \n", "\t \t\n", "\n\n", "\n \n")
	switch {
	case g.one(15):
		return g.pick("#", "# 1.:deny", "#\r", "", " ", "\t", "\r", "no colon", "\x00", "allow,A=\"x\"", " # no colon") + end
	case g.one(3 * (lines + 1)):
		return g.badLine() + end
	case g.one(500):
		return g.address() + ":allow,LONG=\"" + strings.Repeat("long ", 1000+g.IntN(20000)) + "\"" + end
	}
	return g.address() + ":" + g.instruction() + end
}

func (g generator) badLine() string {
	return g.pick(
		"1.2.3.4:allwo", "1.2.3.4:Allow", "1.2.3.4: allow", "1.2.3.4:denyA=\"b\"", "1.2.3.4:allow\r", ":", "::", "a-b:deny",
		"1.2.3.x-4:deny", "1.2.3.4-x:deny", "1-2-3:deny", "2001:db8::x:deny", "1.2.3.4:allow,", "1.2.3.4:allow,A", "1.2.3.4:allow,A=",
		"1.2.3.4:allow,A=\"", "1.2.3.4:allow,A=\"b\"c", "1.2.3.4:allow,A=\"b\",", "1.2.3.4:allow,A=\"b\" ,B=\"c\"", "1.2.3.4:allow,A= b",
		"x\x00y:allow,A=\"\x00", "1.2.3.4:al\x00low", strings.Repeat("x", 300)+":", "\xff\xfe%s\x1b[m:?", "1.2.3.4-\x00:denyx", "+1-2:deny",
	)
}

func (g generator) number() string {
	return g.pick("0", "1", "2", "7", "10", "99", "127", "254", "255", "256", "007", strconv.Itoa(g.IntN(300)))
}

func (g generator) address() string {
	switch g.IntN(12) {
	case 0:
		return g.pick("", "=", ".", "@", "-", "39.160.226.88", "10.0.1.92", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4.", "..")
	case 1, 2:
		return g.ip()
	case 3, 4:
		ip := g.ip() + "."
		for range g.IntN(4) {
			ip = ip[:strings.LastIndexByte(ip[:len(ip)-1], '.')+1]
			if ip == "" {
				break
			}
		}
		return ip
	case 5, 6, 7:
		return g.ranged()
	case 8, 9:
		return "=" + g.host()
	case 10:
		return g.info() + "@" + g.pick(g.ip(), "="+g.host(), "", g.ranged())
	}
	return g.ranged() + g.pick("=", "@", "\x00", "-", "")
}

func (g generator) ip() string {
	if g.one(5) {
		return g.pick("39.160.226.88", "10.0.1.92", "1.2.3.4")
	}
	return g.number() + "." + g.number() + "." + g.number() + "." + g.number()
}

func (g generator) ranged() string {
	low, high := g.number(), g.number()
	if g.one(20) {
		low = g.pick("", "18446744073709551616", "18446744073709551617", "99999999999999999999999", "3\x00x", "\x00")
	}
	if g.one(15) {
		high = g.pick("", "300", "18446744073709551615", "18446744073709551618", "4\x00-x", "\x00", "0")
	}
	r := low + "-" + high
	switch g.IntN(5) {
	case 0:
		return r + g.pick("", ".", "..", ".x", ".2-3.")
	case 1:
		return g.number() + "." + r + "."
	case 2:
		return g.number() + "." + g.number() + "." + r + "." + g.number()
	}
	return g.number() + "." + g.number() + "." + g.number() + "." + r
}

func (g generator) host() string {
	return g.pick("", ".", "a", "a.b", ".b", "mail-1-3.example.org", ".example.org", ".org", "mx.example.org", "Mx.Example.Org", "a..b", "example.org.")
}

func (g generator) info() string { return g.pick("", "joe", "joe", "a@b", "joe=x", "1.2.3.4", "-") }

func (g generator) instruction() string {
	s := g.pick("allow", "deny")
	for range g.IntN(4) {
		name := g.pick("", "A", "B", "RELAYCLIENT", "DKIMKEY", "a b", "x:y", "\"", ",", "N\x00M", "D", "+", "\r", "\xff")
		value := g.pick("", "x", "control/domainkeys/%/default", "-z 2", "a:b", "c=d", "x\x00D\x00", "\x00+E=f\x00", "\x00D", "\r", "\xe9", "#")
		quote := g.pick("\"", "\"", "\"", "'", "/", "q", "~", "\x01", "\\", "|")
		s += "," + name + "=" + quote + value + quote
	}
	return s
}

// client returns the variables of a client that the rules are likely to be
// about.
func (g generator) client(text []byte) (env []string) {
	ip, host, info := g.ip(), g.host(), g.info()
	if lines := bytes.Split(text, []byte("\n")); !g.one(3) {
		address, _, _ := strings.Cut(string(lines[g.IntN(len(lines))]), ":")
		if who, at, ok := strings.Cut(address, "@"); ok {
			info, address = who, at
		}
		if name, ok := strings.CutPrefix(address, "="); ok {
			host = g.pick("", "", "www") + name
		} else {
			left, right, _ := strings.Cut(address, "-")
			ip = g.pick(left, left, address+g.number(), left[:strings.LastIndexByte(left, '.')+1]+right)
		}
	}
	for _, v := range []struct {
		name, value string
		never       int // once in so many times it is not set
	}{{"TCPREMOTEIP", ip, 20}, {"TCPREMOTEHOST", host, 2}, {"TCPREMOTEINFO", info, 2}} {
		if !g.one(v.never) {
			env = append(env, v.name+"="+strings.ReplaceAll(v.value, "\x00", ""))
		}
	}
	return env
}
