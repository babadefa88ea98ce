package tcprules

import (
	"context"
	"io"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

const checkUsage = "tcprulescheck rules.cdb"

// RunCheck is tcprulescheck: it prints what the database says of the client
// that TCPREMOTEIP, TCPREMOTEHOST and TCPREMOTEINFO describe. A denied client
// is no error. As ucspi-tcp 0.88 tcprulescheck.c.
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
	io.WriteString(env.Stdout, verdict(d))
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

// verdict is a decision in tcprulescheck's words. It stops at the denial:
// variables after it are not shown.
func verdict(d rules.Decision) string {
	var b strings.Builder
	if d.Found {
		b.WriteString("rule " + d.Key + ":\n")
	} else {
		b.WriteString("default:\n")
	}
	vars, end := d.Env, "allow connection\n"
	if d.Deny {
		vars, end = d.Env[:d.Shown], "deny connection\n"
	}
	for _, v := range vars {
		b.WriteString("set environment variable " + v.String() + "\n")
	}
	return b.String() + end
}
