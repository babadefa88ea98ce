package smtp

import (
	"io"
	"strconv"

	"ucspi-go/internal/qmail"
)

// An Envelope is who a message is from and for. Addresses must be Sendable.
type Envelope struct {
	Sender     string
	Recipients []string

	// What a server that knows SIZE and 8BITMIME hears of the message.
	Size     int64 // in bytes as sent, about; 0 when it is not known
	EightBit bool  // there are bytes beyond ASCII in it
}

// group is the count of commands that are sent together to a server that
// allows it. Their replies fit into the buffers of a connection, so that the
// two sides cannot wait for each other.
const group = 50

// keptText is how many bytes of text are kept of the replies to an envelope,
// so that a server cannot fill the memory by what it says to many recipients.
const keptText = 1 << 20

// Envelope sends the envelope and returns the reply to each recipient, those
// before an error too. Positive ones are without their text, and of the others
// so is what is beyond the first MiB. The error is a *Refusal when the sender,
// or every recipient, is refused.
func (c *Client) Envelope(e Envelope) (replies []Reply, err error) {
	size := 1
	if c.offers["PIPELINING"] {
		size = group
	}
	accepted, left := false, keptText
	for done, all := 0, len(e.Recipients)+1; done < all; {
		part := min(size, all-done)
		if err := c.command(c.envelopeCommand(e, done)...); err != nil {
			return replies, err
		}
		for i := 1; i < part; i++ {
			c.write(c.envelopeCommand(e, done+i)...)
		}
		for range part {
			reply, err := c.reply()
			switch {
			case err != nil:
				return replies, err
			case done > 0 && reply.Positive():
				accepted = true
				replies = append(replies, Reply{Code: reply.Code})
			case done > 0:
				reply.Text = reply.Text[:min(len(reply.Text), left)]
				left -= len(reply.Text)
				replies = append(replies, reply)
			case !reply.Positive():
				return nil, &Refusal{Sender, reply}
			}
			if done++; reply.Code == 0 {
				break
			}
		}
	}
	if !accepted {
		refusal := &Refusal{Stage: Recipients}
		if len(replies) > 0 {
			refusal.Reply = replies[len(replies)-1]
		}
		return replies, refusal
	}
	return replies, nil
}

// envelopeCommand returns the command MAIL, and from 1 on that of a recipient.
func (c *Client) envelopeCommand(e Envelope, n int) []string {
	if n > 0 {
		return []string{"RCPT TO:<", qmail.Quote(e.Recipients[n-1]), ">"}
	}
	words := []string{"MAIL FROM:<", qmail.Quote(e.Sender), ">"}
	if e.Size > 0 && c.offers["SIZE"] {
		words = append(words, " SIZE=", strconv.FormatInt(e.Size, 10))
	}
	if e.EightBit && c.offers["8BITMIME"] {
		words = append(words, " BODY=8BITMIME")
	}
	if c.offers["SMTPUTF8"] && !e.isASCII() {
		words = append(words, " SMTPUTF8")
	}
	return words
}

func (e Envelope) isASCII() bool {
	for _, r := range e.Recipients {
		if !isASCII(r) {
			return false
		}
	}
	return isASCII(e.Sender)
}

// Data sends the message, which has LF line ends, and returns the reply of a
// server that has accepted it.
func (c *Client) Data(message io.Reader) (Reply, error) {
	reply, err := c.ask("DATA")
	if err != nil {
		return Reply{}, err
	}
	// After any other answer the lines of the message would be commands.
	if reply.Code/100 != 3 {
		return Reply{}, &Refusal{Command, reply}
	}
	if err := c.send(message); err != nil {
		return Reply{}, err
	}
	reply, err = c.reply()
	if lost, ok := err.(*Lost); ok {
		lost.MaybeSent = true
	}
	if err == nil && !reply.Positive() {
		err = &Refusal{Message, reply}
	}
	return reply, err
}

// send sends the message up to its last line, which stays in the buffer.
func (c *Client) send(message io.Reader) error {
	dots := &dotWriter{w: c.out}
	buf := make([]byte, 4*outBuffer)
	for {
		n, err := message.Read(buf)
		if _, lost := dots.Write(buf[:n]); lost != nil {
			return c.lost(lost)
		}
		if err == io.EOF {
			err = dots.Close()
			if err == nil {
				return nil
			}
			if err != ErrPartialLine {
				return c.lost(err)
			}
		}
		if err != nil {
			c.ended = true
			return &MessageError{err}
		}
	}
}
