// Package keys finds and reads the private keys that sign mail, and makes the
// DNS records that publish them.
//
// A key is a file in PEM form, as openssl and domainkey make it. Where it is,
// is a pattern such as control/domainkeys/%/default: "%" stands for the signing
// domain, and the last component is the selector. [Store.Find] looks for the
// file, in the order that qmail-dkim has; [Selector] and [Domain] are the rules
// for the two names, which are checked before they become part of a path or of
// a DNS name. [Parse] reads a key file, and [Encode] writes one.
//
// The public half is published as a TXT record at [RecordName], whose text is
// [Record]; [ZoneLine] is the line for a zone file. Package qmaildkim compares
// a record with the key, by Published.
//
// That there is no key is an error of its own, [ErrNoKey]: mail then goes on
// unsigned. A key that is there but cannot be used is a [*FaultError].
package keys
