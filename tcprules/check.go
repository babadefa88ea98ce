package tcprules

import (
	"context"
	"io"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

const checkUsage = "tcprulescheck rules.cdb"

// RunCheck is the program tcprulescheck: it prints what the database says of
// the client that TCPREMOTEIP, TCPREMOTEHOST and TCPREMOTEINFO describe. A
// denied client is no error. As ucspi-tcp 0.88 tcprulescheck.c. Only a program
// of this module can make its Env.
func RunCheck(_ context.Context, env *prog.Env) error {
	if len(env.Args) < 1 {
		return prog.Usage(checkUsage, "")
	}
	name := env.Args[0]
	d, err := lookup(name, client(env))
	if err != nil {
		return prog.Fatal(111, "unable to read "+name, err)
	}
	// Nobody hears of a full disk, as in the C program.
	_, _ = io.WriteString(env.Stdout, Verdict(d))
	return nil
}

func client(env *prog.Env) rules.Client {
	c := rules.Client{IP: "0.0.0.0"}
	if ip, set := env.Lookup("TCPREMOTEIP"); set {
		c.IP = ip
	}
	if host, set := env.Lookup("TCPREMOTEHOST"); set {
		c.Host = &host
	}
	if info, set := env.Lookup("TCPREMOTEINFO"); set {
		c.Info = &info
	}
	return c
}

func lookup(name string, c rules.Client) (rules.Decision, error) {
	db, err := rules.Open(name)
	if err != nil {
		return rules.Decision{}, err
	}
	defer db.Close()
	return db.Lookup(c)
}

// Verdict returns a decision in tcprulescheck's words, a line each: the key of
// the record, its instructions one by one down to a denial, and whether the
// connection is allowed. A setting without "=", which tcprules makes of a name
// with a NUL, is shown although tcpserver passes it over.
func Verdict(d rules.Decision) string {
	if !d.Found {
		return "default:\nallow connection\n"
	}
	var b strings.Builder
	b.WriteString("rule " + rules.AddressOf(d.Key) + ":\n")
	for data := d.Data; ; {
		instruction, rest, ok := strings.Cut(data, "\x00")
		if !ok {
			return b.String() + "allow connection\n"
		}
		data = rest
		if setting, ok := strings.CutPrefix(instruction, "+"); ok {
			b.WriteString("set environment variable " + setting + "\n")
		} else if strings.HasPrefix(instruction, "D") {
			return b.String() + "deny connection\n"
		}
	}
}
