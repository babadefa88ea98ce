package mailpath

// Show is for the test of the manual page, which lays out what other paths
// have been put into.
var Show = show
