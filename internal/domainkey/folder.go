package domainkey

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// A folder is the directory of a domain's keys. Its methods return a
// *fs.PathError with the path from home. What they made can be undone.
type folder struct {
	home    string
	name    string // from home
	owner   owner
	foreign bool     // it existed and belongs to another user than owner
	made    []string // paths from home, in order
}

func (f *folder) at(name string) string { return f.home + "/" + name }

// absent returns an error unless nothing, not even a link, has the name.
func (f *folder) absent(name string) error {
	name = f.name + "/" + name
	_, err := os.Lstat(f.at(name))
	switch {
	case err == nil:
		return &fs.PathError{Op: "make", Path: name, Err: syscall.EEXIST}
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return wrap("make", name, err)
}

// open makes the directory unless it exists, and the one it is in.
func (f *folder) open() error {
	parent := path.Dir(f.name)
	// Owned by whoever runs the program and open to all: the names of the
	// domains are no secret, and the owners of the keys must get through.
	if err := f.mkdir(parent, 0o755, owner{uid: -1, gid: -1}); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err := f.mkdir(f.name, 0o700, f.owner)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	st, err := os.Stat(f.at(f.name))
	if err != nil {
		return wrap("make", f.name, err)
	}
	if !st.IsDir() {
		return &fs.PathError{Op: "use", Path: f.name, Err: syscall.ENOTDIR}
	}
	f.foreign = f.owner.uid >= 0 && int(st.Sys().(*syscall.Stat_t).Uid) != f.owner.uid
	return nil
}

func (f *folder) mkdir(name string, mode fs.FileMode, own owner) error {
	if err := os.Mkdir(f.at(name), mode); err != nil {
		return wrap("make", name, err)
	}
	f.made = append(f.made, name)
	err := adopt(f.at(name), mode, own)
	if err == nil {
		err = syncDir(path.Dir(f.at(name)))
	}
	return wrap("make", name, err)
}

// adopt gives the directory name its mode, whatever the umask, and its owner.
// It follows no link: the user who owns the keys may own the directory above
// too, and could put one there to have root change another file.
func adopt(name string, mode fs.FileMode, own owner) error {
	d, err := os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	return errors.Join(d.Chmod(mode), d.Chown(own.uid, own.gid))
}

// file writes a file that appears whole or not at all, and replaces none.
func (f *folder) file(name string, mode fs.FileMode, data []byte) error {
	name = f.name + "/" + name
	tmp, err := draft(f.at(f.name), mode, f.owner, data)
	if err != nil {
		return wrap("write", name, err)
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, f.at(name)); err != nil { // rename would replace
		return wrap("write", name, err)
	}
	f.made = append(f.made, name)
	return nil
}

// replace writes a file as file does, in the place of another one.
func (f *folder) replace(name string, mode fs.FileMode, data []byte) error {
	name = f.name + "/" + name
	tmp, err := draft(f.at(f.name), mode, f.owner, data)
	if err == nil {
		if err = os.Rename(tmp, f.at(name)); err != nil {
			os.Remove(tmp)
		}
	}
	if err != nil {
		return wrap("write", name, err)
	}
	return f.sync()
}

func (f *folder) link(name, target string) error {
	name = f.name + "/" + name
	if err := os.Symlink(target, f.at(name)); err != nil {
		return wrap("make", name, err)
	}
	f.made = append(f.made, name)
	return wrap("make", name, os.Lchown(f.at(name), f.owner.uid, f.owner.gid))
}

func (f *folder) sync() error { return wrap("write", f.name, syncDir(f.at(f.name))) }

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// exists reports whether something, a link to nothing too, has the name.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// undo removes what was made.
func (f *folder) undo() {
	for i := len(f.made) - 1; i >= 0; i-- {
		os.Remove(f.at(f.made[i]))
	}
}

// wrap returns err with the path that the user knows.
func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
