// Package qmaildkim signs and verifies mail by DKIM (RFC 6376) in front of a
// queue program, as qmail-dkim does.
//
// # The way of a message
//
//	rules.Environ --ConfigFrom--> Config
//	Filter{Config}.Process(message) --> new header fields + the message; Report
//
// The configuration is the environment that tcpserver made by a rule:
// [ConfigFrom] is the only reader of its variables, and chooses the [Mode]. A
// [Filter] with it reads a message and writes it with the new fields on top;
// below them nothing is changed, except that fields which claim to be the
// filter's own verdict are left out.
//
// When it signs, the author's domain in From: is d= ([AuthorDomain]), the last
// component of the key's path is s=, and the key is found by package keys under
// Config.Home. The [Report] has what was [Signed], or the reason why nothing
// was. [Published] compares the key with the DNS.
//
// When it verifies, each [Signature] gets a [Letter], and the message a
// [Verdict]; the letters in DKIMVERIFY say which are refused. A [*Refusal] is
// the error of a message that must not go on, whatever the mode.
//
// [Filter.Process] is for who passes messages on; [Filter.Examine] does the same
// for who wants the outcome alone. Neither opens a socket: keys are asked for
// by Filter.LookupTXT, which in a test is a map.
//
// # Testing a site's rules
//
// With packages rules and keys, a test says of the own tcp.smtp which client's
// mail is signed, by which d= and s=, and what becomes of incoming mail, in one
// process, without sockets and DNS: see the examples, and docs/sitetest.md for a
// table of such cases.
//
// # The program
//
// Run is the program, for cmd of this module. The rest of the package serves
// those that explain and check: mailpath, tcpruleslint, domainkey and dkim.
package qmaildkim
