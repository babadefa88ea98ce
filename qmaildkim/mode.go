package qmaildkim

import "ucspi-go/rules"

// A Mode is what is done with a message.
type Mode int

// The modes, by the presence of variables, not their content: DKIMSIGN signs;
// else DKIMVERIFY verifies; else RELAYCLIENT or AUTHINFO signs, with the key in
// DKIMKEY; else the message is verified and labelled, never refused. In each
// mode it goes on to the queue program unless it is refused.
const (
	ModeVerify Mode = iota // judge the signatures and add the result
	ModeSign               // sign for the author's domain
	ModeOff                // pass untouched: the key's path is empty
	ModeExempt             // pass untouched: a relay client, and RELAYCLIENT_NODKIMVERIFY
)

// Variables that decide the mode.
const (
	envSign        = "DKIMSIGN"
	envKey         = "DKIMKEY"
	envVerify      = "DKIMVERIFY"
	envRelayClient = "RELAYCLIENT"
	envAuthInfo    = "AUTHINFO"
	envExempt      = "RELAYCLIENT_NODKIMVERIFY"
)

// defaultKey is the key of a relay client that no variable gives one.
const defaultKey = "control/domainkeys/%/default"

// A Setting is a variable that was asked for, and whether it is set.
type Setting struct {
	Name, Value string
	Set         bool
}

// modeOf returns the mode, for signing the path of the key, and the variables
// by which that was decided, in the order in which they were asked for.
// Presence decides, not content, except that an empty path is the way to say
// "do not sign" in one rule. DKIMSIGN wins over DKIMVERIFY, and DKIMKEY is read
// for relay clients only. As qmail-dkim of dkim-netqmail-1.06 patch 1.7, with
// AUTHINFO and RELAYCLIENT_NODKIMVERIFY as in today's.
func modeOf(environ rules.Environ) (mode Mode, key string, asked []Setting) {
	ask := func(name string) (value string, set bool) {
		value, set = environ.Lookup(name)
		asked = append(asked, Setting{name, value, set})
		return value, set
	}
	isSet := func(name string) bool { _, set := ask(name); return set }
	relay := func() bool { return isSet(envRelayClient) || isSet(envAuthInfo) }
	key, sign := ask(envSign)
	switch {
	case sign:
	case isSet(envVerify):
		if isSet(envExempt) && relay() {
			return ModeExempt, "", asked
		}
		return ModeVerify, "", asked
	case !relay():
		return ModeVerify, "", asked
	default:
		if key, sign = ask(envKey); !sign {
			key = defaultKey
		}
	}
	if key == "" {
		return ModeOff, "", asked
	}
	return ModeSign, key, asked
}
