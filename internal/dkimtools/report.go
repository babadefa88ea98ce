package dkimtools

import (
	"context"
	"io"
	"strings"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/ucspi"
	"ucspi-go/qmaildkim"
)

// ReportUsage is dkimreport's command line, as the usage message and the
// manual have it.
const ReportUsage = "dkimreport [ -r ]"

// RunReport is the program dkimreport: it writes a report about the signatures
// of the message on standard input to standard output, and exits as
// VerdictCode says. As a queue program, with an envelope on descriptor 1, and
// with -r in a .qmail file it sends the report to the envelope sender instead.
func RunReport(ctx context.Context, env *prog.Env) error {
	args := env.Args
	mail := false
	for opt, arg := range getopt.Parse(&args, "r") {
		if opt != 'r' {
			return prog.Usage(ReportUsage, arg)
		}
		mail = true
	}
	if len(args) > 0 {
		return prog.Usage(ReportUsage, "")
	}
	if fd1 := env.Fd(1); !mail && fd1 != nil && qmail.ForInput(fd1) {
		return asQueue(ctx, env, fd1)
	}
	r, err := examine(ctx, env)
	if err != nil {
		return prog.Fatal(111, "unable to read the message", err)
	}
	defer r.Close()
	sender, set := env.Lookup("SENDER")
	r.sender = sender
	if mail {
		if !set {
			return prog.Fatal(100, "unable to send the report: $SENDER is not set", nil)
		}
		if err := r.mail(env); err != nil {
			code := 111
			if c := queueCode(err); c >= 11 && c <= 40 { // for good
				code = 100
			}
			return prog.Fatal(code, "unable to queue the report", err)
		}
		return nil
	}
	if err := r.write(env.Stdout, -1); err != nil {
		return prog.Fatal(111, "unable to write output", err)
	}
	if code := VerdictCode(r.Report.Verdict); code != 0 {
		return prog.Exit(code)
	}
	return nil
}

// A report is what is to be said of a message.
type report struct {
	*qmaildkim.Examined
	me     string // this host
	ip     string // of the client, empty for unknown
	sender string // envelope sender; empty for unknown
	keys   *dns.Answers
}

// examine verifies the message on standard input.
func examine(ctx context.Context, env *prog.Env) (*report, error) {
	f, err := filter(env)
	if err != nil {
		return nil, err
	}
	r := &report{keys: dns.NewAnswers(f.LookupTXT)}
	r.ip, _ = env.Lookup("TCPREMOTEIP")
	if r.me, _, _ = qmail.Control(f.Config.Control).Line("me"); r.me == "" {
		r.me = "localhost"
	}
	f.LookupTXT = r.keys.LookupTXT
	r.Examined, err = f.Examine(ctx, env.Stdin)
	return r, err
}

// write writes the report. Limit is how many bytes of the message it quotes at
// most, negative for all.
func (r *report) write(w io.Writer, limit int64) error {
	if _, err := io.WriteString(w, r.text()); err != nil {
		return err
	}
	original := r.Original()
	if limit < 0 {
		_, err := io.Copy(w, original)
		return err
	}
	if _, err := io.CopyN(w, original, limit); err == io.EOF {
		return nil
	} else if err != nil {
		return err
	}
	if n, err := original.Read(make([]byte, 1)); n == 0 && err == io.EOF {
		return nil
	}
	_, err := io.WriteString(w, "\n[cut here]\n")
	return err
}

// text returns the report up to the message itself, laid out as the reports of
// check-auth@verifier.port25.com.
func (r *report) text() string {
	var b strings.Builder
	b.WriteString("This is what dkimreport on " + clean(r.me) + " found out about the DKIM signatures of a\n" +
		"message. It was verified as qmail-dkim verifies mail on its way to the queue.\n\n")
	heading(&b, '=', "Summary of Results")
	for _, s := range r.signatures() {
		b.WriteString("DKIM check:         " + word(s.Letter) + "\n")
	}
	b.WriteByte('\n')
	heading(&b, '=', "Details:")
	b.WriteString("\nHELO hostname:  " + known(r.helo()) + "\nSource IP:      " + known(r.source()) + "\nmail-from:      " + known(r.mailFrom()) + "\n\n")
	for _, s := range r.signatures() {
		r.details(&b, s)
	}
	heading(&b, '=', "Explanation of the results (RFC 8601)")
	b.WriteString(explanation)
	heading(&b, '=', "Original Email")
	b.WriteByte('\n')
	return b.String()
}

// signatures returns those to report on: one that stands for a message without
// any, or one beyond the limits.
func (r *report) signatures() []qmaildkim.Signature {
	v := r.Report.Verdict
	if len(v.Signatures) > 0 {
		return v.Signatures
	}
	return []qmaildkim.Signature{{Letter: v.Letter, Reason: v.Reason}}
}

func heading(b *strings.Builder, rule byte, title string) {
	line := strings.Repeat(string(rune(rule)), 58) + "\n"
	b.WriteString(line + title + "\n" + line)
}

const explanation = `
"pass"       the signature is good: the signed fields and the body are as the
             signing domain sent them.
"fail"       there is a signature, but fields or body were changed after it
             was made, or it was made with another key.
"policy"     the signature may be good, but is not accepted: it leaves parts of
             the message unsigned, or is not for the author's domain.
"neutral"    there is no signature, or it cannot be judged.
"temperror"  the key could not be fetched; a later try may succeed.
"permerror"  the signature or the published key is malformed, too weak or
             missing; a later try will not succeed.

`

// known returns text for a line, and words for none.
func known(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return clean(s)
}

// maxWord and maxRecord are how much is shown of a word of the message and of
// a DNS record, in bytes.
const (
	maxWord   = 255
	maxRecord = 4096
)

// clean returns text that may stand in a line: printable ASCII, cut.
func clean(s string) string { return cleanTo(s, maxWord) }

func cleanTo(s string, limit int) string { return ucspi.Printable(s, limit) }
