package rblsmtpd

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"ucspi-go/internal/prog"
)

// A verdict is what is known of the client so far.
type verdict int

const (
	undecided verdict = iota
	accepted
	rejected // temporarily: 451
	bounced  // permanently: 553
)

// A check is the state of the decision over one client.
type check struct {
	client client
	names  resolver
	fault  func(list, answer string) // hears of an answer that lists nobody

	// As the options so far have it.
	bounce     bool // -b: 553 for listed clients
	failClosed bool // -c: a failed lookup blocks
	textOnly   bool // -T: ask as 0.88

	verdict       verdict
	text          string // of the refusal
	mustNotBounce bool   // a lookup has failed: no 553 after that
}

// resolver is the part of dns.Resolver that is needed.
type resolver interface {
	LookupA(ctx context.Context, name string) ([]netip.Addr, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// preset decides by $RBLSMTPD: empty accepts, and a text that begins with a
// hyphen bounces.
func (c *check) preset(env *prog.Env) {
	text, set := env.Lookup("RBLSMTPD")
	switch {
	case !set:
	case text == "":
		c.verdict = accepted
	case text[0] == '-':
		c.verdict, c.text = bounced, text[1:]
	default:
		c.verdict, c.text = rejected, text
	}
}

func (c *check) blocked() bool { return c.verdict >= rejected }

// list is -r: it blocks a client that the list has.
func (c *check) list(ctx context.Context, arg string) {
	if c.verdict != undecided {
		return
	}
	ask := c.listed
	if c.textOnly {
		ask = c.listedByText
	}
	text, listed, err := ask(ctx, arg)
	switch {
	case err != nil:
		c.mustNotBounce = true
		if c.failClosed {
			c.verdict, c.text = rejected, "temporary RBL lookup error"
		}
	case listed && c.bounce:
		c.verdict, c.text = bounced, text
	case listed:
		c.verdict, c.text = rejected, text
	}
}

// antiList is -a: it accepts a client that the list has.
func (c *check) antiList(ctx context.Context, base string) {
	if c.verdict != undecided {
		return
	}
	addrs, err := c.names.LookupA(ctx, c.client.reversed+base)
	switch {
	case err != nil:
		c.mustNotBounce = true
		if !c.failClosed {
			c.verdict = accepted
		}
	case len(addrs) == 0:
	case c.textOnly || slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !errorCode(a) }):
		c.verdict = accepted
	default:
		// The client may well be on the list that does not say.
		c.mustNotBounce = true
		c.fault(base, lowest(addrs))
	}
}

// listedByText asks a list as rblsmtpd 0.88: who has a TXT record is listed.
func (c *check) listedByText(ctx context.Context, base string) (text string, listed bool, err error) {
	texts, err := c.names.LookupTXT(ctx, c.client.reversed+base)
	text = strings.Join(texts, "")
	return text, text != "", err
}

// listed asks a list, unlike rblsmtpd 0.88, for its A records: a client is
// listed by an answer in 127.0.0.0/8 that is no error code, as RFC 5782
// section 2.1 has it. Lists answer those who may not ask with an error code,
// and any address may come from a domain that was a list once. The argument
// is BASE, whose TXT record is the text then, or BASE:TEXT.
func (c *check) listed(ctx context.Context, arg string) (text string, listed bool, err error) {
	base, own, _ := strings.Cut(arg, ":")
	name := c.client.reversed + base
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a client that is not listed needs no second try for its text
	found := make(chan string, 1)
	if own == "" {
		go func() {
			texts, _ := c.names.LookupTXT(ctx, name)
			found <- strings.Join(texts, "")
		}()
	}
	addrs, err := c.names.LookupA(ctx, name)
	if err != nil || len(addrs) == 0 {
		return "", false, err
	}
	if !slices.ContainsFunc(addrs, listing) {
		c.fault(base, lowest(addrs))
		return "", false, nil
	}
	if own != "" {
		return strings.ReplaceAll(own, "%IP%", c.client.text), true, nil
	}
	if text = <-found; text == "" {
		text = c.client.text + " is listed by " + base
	}
	return text, true, nil
}

// listing reports whether the answer says that the client is listed.
func listing(a netip.Addr) bool {
	return a.Is4() && a.As4()[0] == 127 && !errorCode(a)
}

// errorCode reports whether the answer is one of those in 127.255.255.0/24
// that lists keep for what is wrong with the question.
func errorCode(a netip.Addr) bool {
	b := a.As4()
	return b[0] == 127 && b[1] == 255 && b[2] == 255
}

// lowest returns one of the answers, the same whatever their order.
func lowest(addrs []netip.Addr) string {
	return slices.MinFunc(addrs, netip.Addr.Compare).String()
}
