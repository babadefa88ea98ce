package qmaildkim

import (
	"strings"

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
func (c *Config) enter(env *prog.Env) error {
	store := keys.Store{Home: c.Home, Control: c.Control}
	patterns := []string{c.signing.key, c.signing.extraKey}
	if c.keysFile {
		// A line that nothing can be made of is told with the message.
		lines, _, _ := qmail.Control(c.Control).Lines("dkimkeys")
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, ":")
			l, _, _ := findKeysLine([]string{"*:" + rest}, "") // for whatever domain
			extra, _ := rules.Environ(nil).With(l.settings...).Lookup("DKIMSIGNEXTRA")
			patterns = append(patterns, l.path, extra)
		}
	}
	read := []string{c.Control, dns.ResolvConf}
	for _, pattern := range patterns {
		for _, folder := range store.Folders(pattern) {
			read = append(read, qmail.At(c.Home, folder))
		}
	}
	temp := c.TempDir
	if temp == "" {
		temp = "/tmp"
	}
	return sandbox.Restrict(sandbox.Rules{Read: read, Write: []string{temp}, Connect: dns.New(env.Lookup).Ports()})
}
