package qmaildkim

import (
	"errors"
	"io/fs"
	"testing"

	"ucspi-go/qmaildkim/keys"
	"ucspi-go/rules"
)

// A report says by which pattern, line and files a key was looked for, also of
// a message that is refused or for other recipients.
func TestReportOfKeys(t *testing.T) {
	t.Parallel()
	home := newHome(t, map[string]string{
		"control/dkimkeys":                       "# comment\nb.example:k/%/s1:DKIMEXPIRE=60\nc.example:\n",
		"k/s1":                                   "junk",
		"control/domainkeys/example.com/default": keyPEM(t, rsaKey()),
	})
	const line = "b.example:k/%/s1:DKIMEXPIRE=60"
	for _, tt := range []struct {
		domain, rcpts, pattern, line, reason string
		keys                                 []KeyTry
	}{
		{"example.com", "", defaultKey, "", "", []KeyTry{{"control/domainkeys/example.com/default", nil}}},
		{"a.example", "", defaultKey, "", reasonNoKey, []KeyTry{{"control/domainkeys/a.example/default", fs.ErrNotExist}, {"control/domainkeys/default", fs.ErrNotExist}}},
		{"b.example", "", "k/%/s1", line, "bad-key", []KeyTry{{"k/b.example/s1", fs.ErrNotExist}, {"control/k/b.example/s1", fs.ErrNotExist}, {"k/s1", keys.ErrNotKey}}},
		{"example.com", "x@y.example", defaultKey, "", reasonRcpt, []KeyTry{{"control/domainkeys/example.com/default", nil}}},
		{"c.example", "", "", "c.example:", reasonOff, nil},
	} {
		_, r, _ := process(t, rules.Environ{"QMAILHOME=" + home, "RELAYCLIENT=", "DKIMRCPT=" + tt.rcpts}, "From: a@"+tt.domain+"\n\nx\n")
		same := len(r.Keys) == len(tt.keys)
		for i := range tt.keys {
			same = same && r.Keys[i].Path == tt.keys[i].Path && errors.Is(r.Keys[i].Err, tt.keys[i].Err) && (r.Keys[i].Err == nil) == (tt.keys[i].Err == nil)
		}
		if !same || r.Domain != tt.domain || r.Pattern != tt.pattern || r.KeysLine != tt.line || r.Reason != tt.reason {
			t.Errorf("%+v; want %+v", r, tt)
		}
	}
}

func TestSignedRecipients(t *testing.T) {
	t.Parallel()
	f := &Filter{}
	f.Config, _ = ConfigFrom(rules.Environ{"QMAILHOME=" + newHome(t, nil), "RELAYCLIENT=", "DKIMKEY=k/%"})
	if entries, _, exists, err := f.SignedRecipients(); entries != nil || exists || err != nil || f.Config.KeyPattern() != "k/%" {
		t.Errorf("nothing set: %q, %v, %v, %q", entries, exists, err, f.Config.KeyPattern())
	}
	f.Config, _ = ConfigFrom(rules.Environ{"DKIMRCPT=@a.example:b@c.example", "DKIMRCPTMATCH=all"})
	if entries, all, exists, err := f.SignedRecipients(); len(entries) != 2 || !all || !exists || err != nil {
		t.Errorf("DKIMRCPT: %q, %v, %v, %v", entries, all, exists, err)
	}
}
