package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/site"
	"ucspi-go/internal/testprog"
)

const usage = "demo [ -b bindir ] [ -s host:port [ -k queue|maildir|smarthost ] [ -r host:port ] ]"

// The relay client of the notes is the demo's own address; everybody else
// on loopback is a stranger.
const (
	relay    = "127.0.0.1"
	stranger = "127.0.0.2"
	domain   = "example.com"
)

func run(ctx context.Context, env *prog.Env) error {
	c := site.Config{Bin: "bin", Domain: domain}
	serve := ""
	args := env.Args
	for opt, arg := range getopt.Parse(&args, "b:s:k:r:") {
		switch opt {
		case 'b':
			c.Bin = arg
		case 's':
			serve = arg
		case 'k':
			c.Sink = site.Sink(arg)
		case 'r':
			c.Smarthost = arg
		default:
			return prog.Usage(usage, arg)
		}
	}
	if serve == "" && c.Sink != "" {
		return prog.Usage(usage, "-k goes with -s")
	}
	d := &demo{out: env.Stdout}
	if serve != "" {
		c.Stderr = env.Stderr
	}
	err := d.setUp(c)
	defer d.cleanUp()
	if err == nil && serve != "" {
		err = d.serve(ctx, serve)
	} else if err == nil {
		err = d.show()
	}
	var told *prog.Error
	if err != nil && !errors.As(err, &told) {
		return prog.Fatal(111, err.Error(), nil)
	}
	return err
}

type demo struct {
	out  io.Writer
	dir  string
	data string // the source tree's testdata
	site *site.Site
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// shell shows a command as a user would type it.
func (d *demo) shell(line string) { d.say("$ %s", line) }

func (d *demo) setUp(c site.Config) error {
	root, err := testprog.Root()
	if err != nil {
		return errors.New("run it inside the source tree")
	}
	d.data = filepath.Join(root, "testdata")
	notes, err := os.ReadFile(filepath.Join(d.data, "site", "tcp.smtp"))
	if err != nil {
		return err
	}
	zone, err := os.ReadFile(filepath.Join(d.data, "messages", "rfc8463.zone"))
	if err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "ucspi-go-demo."); err != nil {
		return err
	}
	c.Dir, c.Zone = d.dir, string(zone)
	c.Rules = strings.Replace(string(notes), "192.0.2.10", relay, 1)
	if d.site, err = site.New(c); err != nil {
		return err
	}
	d.say("A private qmail home: %s", d.dir)
	d.say("")
	d.shell("domainkey " + domain)
	d.say("%.100s...", d.site.Record)
	d.shell("cat etc/tcp.smtp")
	d.say("%s", strings.TrimSuffix(d.site.Rules, "\n"))
	d.shell("tcprules etc/tcp.smtp.cdb etc/tcp.smtp.tmp < etc/tcp.smtp")
	for _, ip := range []string{relay, stranger} {
		out, err := d.site.Output("tcprulescheck", "TCPREMOTEIP="+ip, "etc/tcp.smtp.cdb")
		if err != nil {
			return err
		}
		d.shell("TCPREMOTEIP=" + ip + " tcprulescheck etc/tcp.smtp.cdb")
		d.say("%s", strings.TrimSuffix(out, "\n"))
	}
	return nil
}

func (d *demo) cleanUp() {
	if d.site != nil {
		d.site.Close()
	}
	if d.dir != "" {
		os.RemoveAll(d.dir)
	}
}

// end says where the mail ends.
func (d *demo) end() string {
	switch d.site.Sink {
	case site.Maildir:
		return "The messages are in " + d.dir + "/Maildir/new."
	case site.Smarthost:
		return "The messages go to " + d.site.Smarthost + ", whose answer the client hears."
	}
	return "The messages are in " + d.dir + "/queue/mess/*/*."
}

// serve runs the server until it is interrupted.
func (d *demo) serve(ctx context.Context, addr string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := d.site.Serve(addr); err != nil {
		return &prog.Error{Code: 111, Severity: "fatal", What: "unable to serve on " + addr, Err: err,
			Hint: "make run LISTEN=127.0.0.1:3025 takes another port"}
	}
	host, port, _ := strings.Cut(d.site.Addr, ":")
	d.say("")
	d.say("Serving on %s. Mail from %s is signed, mail from elsewhere, such as %s, is verified.", d.site.Addr, relay, stranger)
	d.say("Send a message from another terminal, with nothing but bash, or with curl:")
	d.say("")
	d.say(`  bash -c 'exec 3<>/dev/tcp/%s/%s; printf "HELO me\r\nMAIL FROM:<joe@%s>\r\nRCPT TO:<ann@%s>\r\nDATA\r\nFrom: joe@%s\r\nSubject: test\r\n\r\nHello.\r\n.\r\nQUIT\r\n" >&3; cat <&3'`, host, port, domain, domain, domain)
	d.say("  curl --crlf smtp://%s --interface %s --mail-from joe@%s --mail-rcpt ann@%s --upload-file testdata/messages/rfc8463.eml", d.site.Addr, stranger, domain, domain)
	d.say("")
	d.say("%s Interrupt to end; everything is removed then.", d.end())
	<-ctx.Done()
	return nil
}
