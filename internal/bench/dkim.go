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

func (b *bench) dkim() error {
	queue := b.compile("queue", "-static")
	if queue == "" {
		return nil
	}
	home := b.file("home")
	control := filepath.Join(home, "control")
	if err := os.MkdirAll(control, 0o755); err != nil {
		return err
	}
	key := exec.Command(b.bin+"/domainkey", "example.com")
	key.Env = append(os.Environ(), "QMAILHOME="+home)
	if out, err := key.CombinedOutput(); err != nil {
		return fmt.Errorf("domainkey: %s", out)
	}
	envelope := b.file("envelope")
	if err := os.WriteFile(envelope, []byte("Foffice@example.com\x00Tann@example.net\x00\x00"), 0o644); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"QMAILHOME": home, "DKIMSIGN": "control/domainkeys/%/default", "DKIMSIGNOPTIONS": "-z 2", "DKIMQUEUE": queue, "DKIMLOG": "",
	} {
		os.Setenv(name, value)
	}
	contestants := map[string][]string{"ours": {b.bin + "/qmail-dkim"}}
	names := []string{"ours"}
	if exe := b.compile("opendkim", "-lopendkim"); exe != "" {
		names = append(names, "libopendkim")
		contestants["libopendkim"] = []string{exe, filepath.Join(control, "domainkeys/example.com/default"), "example.com", "default"}
	}
	// A C qmail-dkim is in no distribution: name one that was built by hand.
	if exe := strings.TrimSpace(os.Getenv("C_QMAIL_DKIM")); exe != "" {
		names = append(names, "C qmail-dkim")
		contestants["C qmail-dkim"] = []string{exe}
	}
	for _, size := range []struct {
		label             string
		bytes, runs, many int
	}{
		{"2 KiB", 2 << 10, 11, 10}, {"20 KiB", 20 << 10, 11, 10}, {"1 MiB", 1 << 20, 9, 3}, {"25 MiB", 25 << 20, 5, 1},
	} {
		message := b.file("message")
		if err := writeMessage(message, size.bytes); err != nil {
			return err
		}
		var list []contestant
		for _, name := range names {
			list = append(list, contestant{name, func() (sample, error) {
				return whole(size.many, message, envelope, contestants[name]...)
			}})
		}
		if err := b.compare("qmail-dkim "+size.label, b.runs(size.runs), list...); err != nil {
			return err
		}
	}
	return nil
}
