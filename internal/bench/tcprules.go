package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
)

// writeRules writes a rules file of n lines, of the shapes that such files
// have: addresses, ranges, names, variables, comments.
func writeRules(name string, n int) error {
	var b bytes.Buffer
	for i := range n {
		switch i % 10 {
		case 0:
			fmt.Fprintf(&b, "# customer %d\n", i)
		case 1, 2, 3:
			fmt.Fprintf(&b, "10.%d.%d.%d:allow,RELAYCLIENT=\"\"\n", i>>16&255, i>>8&255, i&255)
		case 4:
			fmt.Fprintf(&b, "172.%d.%d.%d-%d:deny\n", i>>16&255, i>>8&255, i%200, i%200+3)
		case 5:
			fmt.Fprintf(&b, "=host%d.example.com:allow,RELAYCLIENT=\"\",QMAILQUEUE=\"bin/qmail-dkim\",DKIMKEY=\"control/domainkeys/%%/default\"\n", i)
		default:
			fmt.Fprintf(&b, "192.%d.%d.:allow,DATABYTES=\"%d\"\n", i>>8&255, i&255, i)
		}
	}
	b.WriteString(":allow\n")
	return os.WriteFile(name, b.Bytes(), 0o644)
}

func (b *bench) tcprules() error {
	c := b.peer("tcprules")
	if c == "" {
		return nil
	}
	ours := b.bin + "/tcprules"
	for _, size := range []struct{ lines, runs, burst int }{
		{100, 15, 10}, {1000, 15, 10}, {10_000, 15, 3}, {100_000, 9, 1}, {1_000_000, 5, 1},
	} {
		rules := b.file("rules")
		if err := writeRules(rules, size.lines); err != nil {
			return err
		}
		one := func(exe, out string) func() (sample, error) {
			return func() (sample, error) {
				return whole(size.burst, rules, "", exe, b.file(out+".cdb"), b.file(out+".tmp"))
			}
		}
		err := b.compare(fmt.Sprintf("tcprules %d lines", size.lines), b.runs(size.runs),
			contestant{"ours", one(ours, "ours")}, contestant{"ucspi-tcp", one(c, "c")})
		if err != nil {
			return err
		}
		if err := exec.Command("cmp", b.file("ours.cdb"), b.file("c.cdb")).Run(); err != nil {
			return fmt.Errorf("%d lines: the two cdb files differ", size.lines)
		}
	}
	return nil
}
