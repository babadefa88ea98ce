package qmaildkim

import "slices"

// A Verdict is the outcome of verifying a message.
type Verdict struct {
	Letter     Letter
	Old        Letter      // what it was before signaturedomains or nosignaturedomains changed it; 0 for unchanged
	Reason     string      // why a message without a Signature is not simply unsigned
	Signatures []Signature // the ten topmost, in message order

	authServID string // who gives the verdict; empty for no Authentication-Results
	cut        []span // what is to be left out of the message: forged fields
}

// A Signature is the outcome of one DKIM-Signature field. What it quotes is
// the signer's text, without white space but otherwise unchecked.
type Signature struct {
	Domain    string // d=
	Selector  string // s=
	Algorithm string // a=
	Identity  string // i=, empty when absent
	Value     string // b=
	Letter    Letter
	Reason    string // what failed, empty for a good signature
	Hint      string // what would make a failed one pass, empty when nothing known does

	hint string // the same in words of the log
}

// A span is the bytes [from, to) of a message.
type span struct{ from, to int64 }

// Result returns the word of RFC 8601 for the whole message: pass, fail,
// none, policy, neutral, temperror or permerror.
func (v Verdict) Result() string { return v.Letter.Result() }

// Deciding returns the signature that the verdict rests on: the first good
// one, else the first with the verdict's letter, before a list changed it,
// else the topmost. Ok is false for an unsigned message.
func (v Verdict) Deciding() (s Signature, ok bool) {
	for _, letter := range []Letter{letterGood, v.judged()} {
		for _, s := range v.Signatures {
			if s.Letter == letter {
				return s, true
			}
		}
	}
	if len(v.Signatures) == 0 {
		return Signature{}, false
	}
	return v.Signatures[0], true
}

// judged returns the letter that the signatures gave.
func (v Verdict) judged() Letter {
	if v.Old != 0 {
		return v.Old
	}
	return v.Letter
}

// fields returns the header fields to put on top of the message, with LF line
// ends.
func (v Verdict) fields() string {
	fields := dkimStatus(v.Letter, v.Old)
	if v.authServID != "" {
		fields += authResults(v.authServID, v)
	}
	return fields
}

// combine returns the letter of a message: one good signature is enough, but
// bad ones beside it are told; a signature that cannot be judged may be good,
// so it outweighs the bad; of several bad ones the topmost counts.
func combine(signatures []Signature) Letter {
	if len(signatures) == 0 {
		return letterUnsigned
	}
	good, neutral := 0, false
	for _, s := range signatures {
		switch s.Letter {
		case letterGood:
			good++
		case letterNeutral:
			neutral = true
		}
	}
	switch {
	case good == len(signatures):
		return letterGood
	case good > 0:
		return letterPartial
	case neutral:
		return letterNeutral
	}
	return signatures[0].Letter
}

// aligned reports whether a signature with the letter of a verdict, which is
// not bad, speaks for the author's domain.
func aligned(signatures []Signature, author string, verdict Letter) bool {
	want := letterGood
	if verdict == letterNeutral {
		want = letterNeutral
	}
	return slices.ContainsFunc(signatures, func(s Signature) bool { return s.Letter == want && s.SpeaksFor(author) })
}
