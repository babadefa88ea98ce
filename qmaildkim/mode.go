package qmaildkim

import "ucspi-go/rules"

// A Mode is what is done with a message.
type Mode int

// The modes. In each the message goes on to the queue program unless it is
// refused.
const (
	ModeVerify Mode = iota // judge the signatures and add the result
	ModeSign
	ModeOff    // pass untouched: the key's path is empty
	ModeExempt // pass untouched: a relay client, and RELAYCLIENT_NODKIMVERIFY
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

// modeOf returns the mode and, for signing, the path of the key. Presence
// decides, not content, except that an empty path is the way to say "do not
// sign" in one rule. DKIMSIGN wins over DKIMVERIFY, and DKIMKEY is read for
// relay clients only. As qmail-dkim of dkim-netqmail-1.06 patch 1.7, with
// AUTHINFO and RELAYCLIENT_NODKIMVERIFY as in today's.
func modeOf(environ rules.Environ) (mode Mode, key string) {
	_, verify := environ.Lookup(envVerify)
	_, relay := environ.Lookup(envRelayClient)
	_, auth := environ.Lookup(envAuthInfo)
	_, exempt := environ.Lookup(envExempt)
	key, sign := environ.Lookup(envSign)
	switch {
	case sign:
	case verify && exempt && (relay || auth):
		return ModeExempt, ""
	case verify, !relay && !auth:
		return ModeVerify, ""
	default:
		if key, sign = environ.Lookup(envKey); !sign {
			key = defaultKey
		}
	}
	if key == "" {
		return ModeOff, ""
	}
	return ModeSign, key
}
