package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ucspi-go/internal/site"
)

// A delivery is one message that the demo sends, and how it must end.
type delivery struct {
	title     string
	from      string // client address
	sender    string
	recipient string
	text      []byte
	field     string   // header field to show
	want      []string // what the field must contain
	refused   string   // the reply that refuses it, empty for a message that is queued
}

// show sends the demo's messages and fails if one does not end as it should.
func (d *demo) show() error {
	if err := d.site.Serve("127.0.0.1:0"); err != nil {
		return err
	}
	d.say("$ tcpserver -v -R -H -l mail.%s -x etc/tcp.smtp.cdb 127.0.0.1 PORT bin/qmail-smtpd", domain)
	message, err := d.read("notice.eml")
	if err != nil {
		return err
	}
	signed, err := d.deliver(delivery{
		title: "1. A real message from the relay client leaves signed",
		from:  relay, sender: "office@" + domain, recipient: "hanako@example.net", text: message,
		field: "DKIM-Signature", want: []string{"d=" + domain + ";", "s=default;", "a=rsa-sha256;"},
	})
	if err != nil {
		return err
	}
	if err := d.deliverStrangers(signed); err != nil {
		return err
	}
	if err := d.site.Close(); err != nil {
		return err
	}
	d.say("")
	d.say("All went as it should.")
	return nil
}

func (d *demo) deliverStrangers(signed site.Message) error {
	good, err := d.read("rfc8463.eml")
	if err != nil {
		return err
	}
	tampered, err := d.read("rfc8463-tampered.eml")
	if err != nil {
		return err
	}
	for _, m := range []delivery{
		{title: "2. The same message, come back from a stranger, verifies", text: signed.Text,
			want: []string{"dkim=pass", "header.d=" + domain, "header.s=default"}},
		{title: "3. A message that another domain signed (RFC 8463, appendix A) verifies", text: good,
			want: []string{"dkim=pass", "header.d=football.example.com", "header.s=brisbane"}},
		{title: "4. The same, tampered with, is refused", text: tampered,
			refused: "554 qmail-dkim: signature verify error: message body does not hash to bh value (#5.7.7)"},
	} {
		m.from, m.sender, m.recipient, m.field = stranger, "joe@football.example.com", "suzie@"+domain, "Authentication-Results"
		if _, err := d.deliver(m); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.data, "messages", name))
}

// deliver sends m and shows the reply, the log and the queued message.
func (d *demo) deliver(m delivery) (site.Message, error) {
	d.say("")
	d.say("%s", m.title)
	before, err := d.site.Queued()
	if err != nil {
		return site.Message{}, err
	}
	logged := len(d.site.Log())
	reply, err := d.site.Send(m.from, m.sender, m.recipient, m.text)
	if err != nil {
		return site.Message{}, err
	}
	d.say("   client %s, reply %q", m.from, reply)
	for _, line := range d.site.Log()[logged:] {
		if strings.HasPrefix(line, "tcpserver: ok ") || strings.HasPrefix(line, "qmail-dkim: ") {
			d.say("   log    %s", line)
		}
	}
	queued, err := d.site.Queued()
	if err != nil {
		return site.Message{}, err
	}
	if m.refused != "" {
		if reply != m.refused || len(queued) != len(before) {
			return site.Message{}, fmt.Errorf("reply %q, want %q and nothing in the queue", reply, m.refused)
		}
		return site.Message{}, nil
	}
	for _, old := range before {
		for i := range queued {
			if queued[i].Number == old.Number {
				queued = append(queued[:i], queued[i+1:]...)
				break
			}
		}
	}
	if !strings.HasPrefix(reply, "250 ") || len(queued) != 1 {
		return site.Message{}, fmt.Errorf("reply %q and %d new messages in the queue, not one", reply, len(queued))
	}
	return queued[0], d.check(m, queued[0])
}

// check shows the header field that the programs added and compares it with
// what it must say.
func (d *demo) check(m delivery, queued site.Message) error {
	field := queued.Field(m.field)
	d.say("   queued as number %d, with", queued.Number)
	for line := range strings.SplitSeq(field, "\n") {
		d.say("   | %s", line)
	}
	for _, want := range m.want {
		if !strings.Contains(field, want) {
			return fmt.Errorf("%s of the queued message lacks %s", m.field, want)
		}
	}
	return nil
}
