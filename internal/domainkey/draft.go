package domainkey

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// draft writes a new file in a directory, with a name that begins with ".new-",
// and syncs it. The caller renames or removes it.
func draft(dir string, mode fs.FileMode, own owner, data []byte) (name string, err error) {
	tmp, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return "", err
	}
	defer tmp.Close()
	err = errors.Join(tmp.Chown(own.uid, own.gid), tmp.Chmod(mode))
	if err == nil {
		_, err = tmp.Write(data)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return tmp.Name(), err
}

// lock waits until this process alone has the lock on a directory, which it
// has until unlock is called or it ends. Other programs do not look for it.
func lock(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return func() { d.Close() }, nil
}
