package prog

import "cmp"

// TempDir returns the folder for temporary files, which the value of TMPDIR
// names: /tmp when that is empty.
func TempDir(value string) string { return cmp.Or(value, "/tmp") }
