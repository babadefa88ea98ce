package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"ucspi-go/internal/dnsserver"
)

// verify times verifying. Ours asks a name server on loopback for the keys;
// libopendkim, which would ask port 53, is given them.
func (b *bench) verify(m *mailHost) error {
	zone, err := dnsserver.ParseZone(m.zone)
	if err != nil {
		return err
	}
	names, err := dnsserver.Start(zone)
	if err != nil {
		return err
	}
	defer names.Close()
	os.Setenv("DNSCACHEIP", names.Addr())
	defer os.Unsetenv("DNSCACHEIP")
	list := []program{{"ours", []string{b.bin + "/qmail-dkim"}}}
	if m.libopendkim != "" {
		list = append(list, program{"libopendkim", append([]string{m.libopendkim, "-v"}, m.keys()...)})
	}
	message := b.file("signed")
	for _, s := range sizes {
		if err := b.writeSigned(message, s.bytes, m, 1, "second"); err != nil {
			return err
		}
		if err := b.filter("verify "+s.label, s, message, m.envelope, list); err != nil {
			return err
		}
		if s.bytes == 20<<10 || s.bytes == 25<<20 {
			if err := b.writeSigned(message, s.bytes, m, 3, "default", "second"); err != nil {
				return err
			}
			if err := b.filter("verify "+s.label+", 3 signatures", s, message, m.envelope, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// keys returns the records as libopendkim's program takes them.
func (m *mailHost) keys() []string {
	var keys []string
	for line := range strings.Lines(m.zone) {
		name, rest, _ := strings.Cut(line, " ")
		selector, _, _ := strings.Cut(name, "._domainkey.")
		text := ""
		for i, part := range strings.Split(rest, `"`) {
			if i%2 == 1 {
				text += part
			}
		}
		keys = append(keys, selector+"="+text)
	}
	return keys
}

// writeSigned writes a message that is signed by selectors: default has an
// Ed25519 key beside the RSA key, second has not. It fails unless there are n
// signatures, all good.
func (b *bench) writeSigned(name string, size int, m *mailHost, n int, selectors ...string) error {
	if err := writeMessage(name, size); err != nil {
		return err
	}
	message, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	signed := message
	for _, selector := range selectors {
		cmd := exec.Command(b.bin+"/dkim", "-s", m.key(selector), "-y", selector)
		cmd.Stdin = bytes.NewReader(message)
		field, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("dkim -s: %w", err)
		}
		signed = append(field, signed...)
	}
	if err := os.WriteFile(name, signed, 0o644); err != nil {
		return err
	}
	check := exec.Command(b.bin+"/dkim", "-v")
	check.Stdin = bytes.NewReader(signed)
	out, err := check.Output()
	if err != nil || bytes.Count(out, []byte(": A pass d=")) != n {
		return fmt.Errorf("dkim -v: %v: %s", err, out)
	}
	return nil
}
