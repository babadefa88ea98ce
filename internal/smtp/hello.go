package smtp

import "strings"

// Start reads the greeting and says HELO or EHLO, with STARTTLS as the options
// have it.
func (c *Client) Start() error {
	reply, err := c.reply()
	if err != nil {
		return err
	}
	if reply.Code != 220 {
		return &Refusal{Greeting, reply}
	}
	if err := c.hello(); err != nil {
		return err
	}
	if c.options.StartTLS == nil || !c.offers["STARTTLS"] {
		return nil
	}
	return c.startTLS()
}

// hello says EHLO, if that is wanted, and HELO to a server that refuses that.
func (c *Client) hello() error {
	c.offers = nil
	if c.options.Extended {
		reply, err := c.ask("EHLO ", c.options.Name)
		if err != nil {
			return err
		}
		if reply.Code == 250 {
			c.offers = extensions(reply)
			return nil
		}
	}
	reply, err := c.ask("HELO ", c.options.Name)
	if err != nil {
		return err
	}
	if reply.Code != 250 {
		return &Refusal{Hello, reply}
	}
	return nil
}

// extensions returns the first words of all lines but the first.
func extensions(reply Reply) map[string]bool {
	offers := make(map[string]bool)
	first := true
	for line := range strings.Lines(reply.Text) {
		if words := strings.Fields(line[min(len(line), len("250-")):]); !first && len(words) > 0 {
			offers[strings.ToUpper(words[0])] = true
		}
		first = false
	}
	return offers
}

// startTLS encrypts the connection and says EHLO again. A server that refuses
// goes on without. What came in clear after its answer is no part of the
// encrypted session: RFC 3207 section 4.2.
func (c *Client) startTLS() error {
	reply, err := c.ask("STARTTLS")
	if err != nil {
		return err
	}
	if reply.Code != 220 {
		return nil
	}
	conn := c.conn
	if err = errOutOfTurn; !c.in.early() {
		c.startTimer()
		conn, err = c.options.StartTLS(conn)
	}
	if err != nil {
		c.ended = true
		return &TLSError{err}
	}
	c.speakOver(conn)
	return c.hello()
}
