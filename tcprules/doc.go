// Package tcprules builds a rules database and says what one does: what the
// programs tcprules and tcprulescheck do.
//
// [Build] compiles a text to a file, in one step for those who read it, and
// [Verdict] puts what package rules has decided in tcprulescheck's words. Who
// needs neither file nor words, such as a test of a rules file, uses package
// rules alone.
//
// Run and RunCheck are the programs themselves, for cmd of this module.
package tcprules
