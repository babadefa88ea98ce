// Package qmaildkim signs and verifies mail by DKIM (RFC 6376) in front of a
// queue program, as qmail-dkim: its configuration is the environment that
// tcpserver made by a rule, its messages are never changed below the header
// fields that it puts on top.
package qmaildkim
