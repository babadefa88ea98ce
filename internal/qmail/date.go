package qmail

import "time"

// Date returns t as the Received lines of qmail write it, in GMT and without
// a leading zero: "6 Sep 1995 04:46:54 -0000".
func Date(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05 -0000") }
