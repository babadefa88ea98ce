package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeMessage writes a message of about size bytes.
func writeMessage(name string, size int) error {
	var b bytes.Buffer
	b.WriteString("Received: from client (HELO client) (192.0.2.10)\n  by mail.example.com with SMTP; 22 Jun 2011 01:15:31 -0000\n" +
		"From: Office <office@example.com>\nTo: Ann <ann@example.net>\nSubject: figures\n" +
		"Date: Wed, 22 Jun 2011 10:15:30 +0900\nMessage-ID: <1.qmail@example.com>\nMIME-Version: 1.0\n" +
		"Content-Type: text/plain; charset=us-ascii\n\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "line %d: words and  blanks, as a mail has them, some seventy columns wide.\n", i)
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// dkim times signing and verifying by whole processes.
func (b *bench) dkim() error {
	queue := b.compile("queue", "-static")
	if queue == "" {
		return nil
	}
	m := &mailHost{home: b.file("home"), envelope: b.file("envelope")}
	if err := os.MkdirAll(filepath.Join(m.home, "control"), 0o755); err != nil {
		return err
	}
	for _, args := range [][]string{{"-t", "both", "example.com"}, {"example.com", "second"}} {
		key := exec.Command(b.bin+"/domainkey", args...)
		key.Env = append(os.Environ(), "QMAILHOME="+m.home)
		out, err := key.Output()
		if err != nil {
			return fmt.Errorf("domainkey: %w", err)
		}
		m.zone += string(out)
	}
	if err := os.WriteFile(m.envelope, []byte("Foffice@example.com\x00Tann@example.net\x00\x00"), 0o644); err != nil {
		return err
	}
	for name, value := range map[string]string{"QMAILHOME": m.home, "DKIMSIGNOPTIONS": "-z 2", "DKIMQUEUE": queue, "DKIMLOG": ""} {
		os.Setenv(name, value)
	}
	m.libopendkim = b.compile("opendkim", "-lopendkim")
	// A C qmail-dkim is in no distribution: name one that was built by hand.
	m.qmailDKIM = strings.TrimSpace(os.Getenv("C_QMAIL_DKIM"))
	if err := b.sign(m); err != nil {
		return err
	}
	return b.verify(m)
}

// A mailHost is what signers and verifiers work on.
type mailHost struct {
	home     string // of qmail, with the keys of example.com: default, default-ed25519 and second
	envelope string // file
	zone     string // records of the keys

	libopendkim, qmailDKIM string // programs; empty when missing
}

func (m *mailHost) key(selector string) string {
	return filepath.Join(m.home, "control/domainkeys/example.com", selector)
}

func (b *bench) sign(m *mailHost) error {
	os.Setenv("DKIMSIGN", "control/domainkeys/%/second")
	defer os.Unsetenv("DKIMSIGN")
	list := []program{{"ours", []string{b.bin + "/qmail-dkim"}}}
	if m.libopendkim != "" {
		list = append(list, program{"libopendkim", []string{m.libopendkim, m.key("second"), "example.com", "second"}})
	}
	if m.qmailDKIM != "" {
		list = append(list, program{"C qmail-dkim", []string{m.qmailDKIM}})
	}
	for _, size := range sizes {
		message := b.file("message")
		if err := writeMessage(message, size.bytes); err != nil {
			return err
		}
		if err := b.filter("qmail-dkim "+size.label, size, message, m.envelope, list); err != nil {
			return err
		}
	}
	return nil
}

// sizes are those of the messages.
var sizes = []size{{"2 KiB", 2 << 10, 11, 10}, {"20 KiB", 20 << 10, 11, 10}, {"1 MiB", 1 << 20, 9, 3}, {"25 MiB", 25 << 20, 5, 1}}

type size struct {
	label             string
	bytes, runs, many int
}

// A program is a contestant that filters a message into a queue program.
type program struct {
	name string
	argv []string
}

func (b *bench) filter(label string, s size, message, envelope string, list []program) error {
	var contestants []contestant
	for _, p := range list {
		contestants = append(contestants, contestant{p.name, func() (sample, error) {
			return whole(s.many, message, envelope, p.argv...)
		}})
	}
	return b.compare(label, b.runs(s.runs), contestants...)
}
