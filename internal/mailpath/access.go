package mailpath

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/account"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/sandbox"
)

// obstacle returns the folder on the way to a file that this process may not
// enter, or the file itself behind its links. Dir is false for the latter.
func obstacle(file string) (path string, dir bool) {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	at := "/"
	for part := range strings.SplitSeq(strings.Trim(filepath.Dir(file), "/"), "/") {
		at = filepath.Join(at, part)
		if st, err := os.Stat(at); err != nil || !st.IsDir() {
			break
		}
		if unix.Access(at, unix.X_OK) != nil {
			return at, true
		}
	}
	return file, false
}

// blocker says why permissions keep this process from a file, empty when they
// do not, or when that cannot be told. Done is what it wants: "read".
func (x *explainer) blocker(file, done string) string {
	path, dir := obstacle(file)
	if dir {
		return "; the folder " + path + " may not be entered by " + x.User + owned(path)
	}
	mode := uint32(unix.R_OK)
	if done == "executed" {
		mode = unix.X_OK
	}
	if err := unix.Access(path, mode); err != unix.EACCES {
		return ""
	}
	return "; " + path + " may not be " + done + " by " + x.User + owned(path)
}

// outside returns what a file is a link to, where permissions do not keep this
// process from it and SANDBOX does.
func (x *explainer) outside(file string) (real string, ok bool) {
	_, set := x.environ.Lookup(sandbox.Variable)
	real, err := filepath.EvalSymlinks(file)
	return real, set && err == nil && unix.Access(real, unix.R_OK) == nil
}

// owned returns the owner, group and mode of a file.
func owned(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return ": it belongs to " + account.Name(int(sys.Uid)) + ", mode " + strconv.FormatUint(uint64(st.Mode().Perm()), 8)
}

// mendBlocker says how to let the user at a key file.
func (x *explainer) mendBlocker(file string) string {
	path, dir := obstacle(file)
	if dir {
		return "as root: chmod 711 " + path + ", or chown " + x.User + " " + path
	}
	return "as root: chown " + x.User + " " + path
}

// mendLink says how to mend a link that leads nowhere.
func (x *explainer) mendLink(file string) string {
	to, err := os.Readlink(file)
	if err != nil {
		return "make the link lead to the key file"
	}
	return "the link leads to " + to + ", which does not exist: make it lead to the key file" + x.holds(filepath.Dir(file))
}

// nearby says how far a path leads, as the beginning of a mend: a wrong part is
// found by what stands beside it.
func (x *explainer) nearby(path string) string {
	missing := qmail.At(x.config.Home, path)
	dir := filepath.Dir(missing)
	for dir != "/" {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			break
		}
		missing, dir = dir, filepath.Dir(dir)
	}
	holds := x.holds(dir)
	if holds == "" {
		return ""
	}
	return missing + " does not exist" + holds + ": "
}

// holds lists a folder, as what follows a remark: "; FOLDER holds a, b". It is
// empty when that cannot be told.
func (x *explainer) holds(dir string) string {
	const most = 8
	d, err := os.Open(dir)
	if err != nil {
		return ""
	}
	defer d.Close()
	names, _ := d.Readdirnames(most + 1) // as many as can be read
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	more := ""
	if len(names) > most {
		names, more = names[:most], ", ..."
	}
	return "; " + dir + " holds " + strings.Join(names, ", ") + more
}
