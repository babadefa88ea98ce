package qmaildkim

import (
	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/sandbox"
	"ucspi-go/qmaildkim/keys"
	"ucspi-go/rules"
)

// enter takes from this process all but what a message needs: the folders of
// keys and of control files, a folder for a message that is too large for
// memory, and the DNS. A link that leads out of a key's folder leads nowhere
// then.
func (c *Config) enter() error {
	store := keys.Store{Home: c.Home, Control: c.Control}
	patterns := []string{c.signing.key, c.signing.extraKey}
	// What cannot be read, or used, is told with the message.
	lines, _ := c.keysLines()
	for _, text := range lines {
		line, _ := parseKeysLine(text)
		extra, _ := rules.Environ(nil).With(line.settings...).Lookup("DKIMSIGNEXTRA")
		patterns = append(patterns, line.path, extra)
	}
	read := []string{c.Control, dns.ResolvConf}
	for _, pattern := range patterns {
		for _, folder := range store.Folders(pattern) {
			read = append(read, qmail.At(c.Home, folder))
		}
	}
	return sandbox.Restrict(sandbox.Rules{Read: read, Write: []string{prog.TempDir(c.TempDir)}, Connect: dns.New(c.environ.Lookup).Ports()})
}
