package mailpath

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
)

// lookupTime bounds the time for all published keys, unless it is configured.
const lookupTime = 10 * time.Second

// explainMessage tells what qmail-dkim did with the message.
func (x *explainer) explainMessage(ctx context.Context) {
	if x.refusal == nil {
		defer x.examined.Close()
	}
	r := &x.examined.Report
	x.From = clean(r.From)
	if r.Verdict != nil {
		x.explainVerdict(r)
		return
	}
	x.explainSigning(ctx, r)
}

// explainSigning tells how the message was signed, or why not.
func (x *explainer) explainSigning(ctx context.Context, r *qmaildkim.Report) {
	s := &Signing{Domain: clean(r.Domain), Pattern: clean(r.Pattern), KeysLine: clean(r.KeysLine), Reason: r.Reason, Match: clean(r.Match), Ignored: cleanAll(r.Ignored)}
	x.Signing = s
	for _, k := range r.Keys {
		try := KeyTry{Path: clean(k.Path)}
		if k.Err != nil {
			try.Error = words(k.Err)
		}
		s.Keys = append(s.Keys, try)
	}
	f := qmaildkim.Filter{Config: x.config}
	entries, all, limited, _ := f.SignedRecipients()
	s.Recipients = cleanAll(entries)
	if limited && len(x.recipients) == 0 {
		which := "one of the recipients"
		if all {
			which = "every recipient"
		}
		x.note("only mail for which "+which+" is listed in DKIMRCPT or control/dkimrcpts is signed", "name the recipients on the command line")
	} else if len(r.Signed) == 0 {
		x.judgeUnsigned(r)
	}
	for _, word := range r.Warn {
		s.Warnings = append(s.Warnings, word)
		x.judgeWarning(word, r)
	}
	if len(s.Ignored) > 0 {
		x.note("without effect in DKIMSIGNOPTIONS: "+strings.Join(s.Ignored, " "), "")
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(x.config.LookupTime, lookupTime))
	defer cancel()
	for _, signed := range r.Signed {
		s.Signatures = append(s.Signatures, x.published(ctx, signed))
	}
	for _, not := range r.LeftOut {
		x.published(ctx, not) // says why
	}
}

// published asks the DNS for the key of a signature.
func (x *explainer) published(ctx context.Context, s qmaildkim.Signed) Published {
	p := Published{Domain: s.Domain, Selector: s.Selector, Algorithm: s.Algorithm, Key: clean(s.Key), Bits: 256}
	if key, ok := s.Public.(*rsa.PublicKey); ok {
		p.Bits = key.N.BitLen()
	}
	name, ok := keys.RecordName(s.Selector, s.Domain)
	if p.Name = name; !ok {
		p.State, p.Reason = qmaildkim.PublishedMissing, "the name is too long for the DNS"
		x.judgePublished(p, s)
		return p
	}
	texts, err := x.answers.LookupTXT(ctx, name)
	if err != nil {
		err = errors.New(words(err))
	}
	published := qmaildkim.Published(s.Public, texts, err)
	p.State, p.Reason, p.Record, p.Testing = published.State, clean(published.Reason), cleanTo(published.Text, maxRecord), published.Testing
	x.judgePublished(p, s)
	return p
}

// explainVerdict tells what was made of the message's signatures.
func (x *explainer) explainVerdict(r *qmaildkim.Report) {
	v := r.Verdict
	out := &Verifying{Letter: v.Letter.String(), Word: v.Result(), Reason: clean(v.Reason), Action: r.Action, DryRun: r.DryRun}
	if v.Old != 0 {
		out.Old = v.Old.String()
	}
	for _, s := range v.Signatures {
		one := Verified{Letter: s.Letter.String(), Word: s.Letter.Result(), Domain: clean(s.Domain), Selector: clean(s.Selector), Algorithm: clean(s.Algorithm),
			Reason: clean(s.Reason), Hint: clean(s.Hint), Name: clean(s.KeyName())}
		texts, err, asked := x.answers.Of(s.KeyName())
		switch {
		case asked && err != nil:
			one.Error = words(err)
		case asked && len(texts) == 0:
			one.Error = "no record"
		case asked:
			one.Record = cleanTo(texts[0], maxRecord)
		}
		out.Signatures = append(out.Signatures, one)
	}
	x.Verifying = out
	for _, word := range r.Warn {
		x.judgeWarning(word, r)
	}
}

// words returns an error of a file or of the DNS in words.
func words(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	return clean(prog.Errstr(err))
}

func cleanAll(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = clean(out[i])
	}
	return out
}
