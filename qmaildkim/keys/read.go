package keys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"ucspi-go/internal/prog"
)

// maxFile bounds a key file in bytes. An RSA key of 16384 bits takes 13 KB.
const maxFile = 64 << 10

// read reads the key at path. The error is fs.ErrNotExist, bare, when nothing
// is there, else a *FaultError.
func (s Store) read(path string) (*Key, error) {
	name := path
	if !filepath.IsAbs(name) {
		name = s.Home + "/" + name
	}
	data, mode, err := readFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !dangling(name):
		return nil, fs.ErrNotExist
	case errors.Is(err, fs.ErrNotExist):
		return nil, &FaultError{path, ErrDangling}
	case err != nil:
		return nil, &FaultError{path, err}
	}
	key, err := Parse(data)
	if err != nil {
		return nil, &FaultError{path, err}
	}
	key.Path = path
	if mode&0o004 != 0 {
		key.Warn = "world-readable-key"
	}
	return key, nil
}

// readFile reads a regular file of at most maxFile bytes. It never waits, as
// for a writer of a FIFO.
func readFile(name string) ([]byte, fs.FileMode, error) {
	f, err := prog.Open(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, 0, bare(err)
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, bare(err)
	case st.IsDir():
		return nil, 0, syscall.EISDIR
	case !st.Mode().IsRegular():
		return nil, 0, ErrNotFile
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, 0, bare(err)
	}
	if len(data) > maxFile {
		return nil, 0, ErrTooLarge
	}
	return data, st.Mode(), nil
}

// bare returns the cause of a *fs.PathError, whose path FaultError tells in
// the configured form.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// dangling reports whether name does not exist because it, or a directory on
// the way to it, is a symbolic link to nothing. That is a mistake to mend, not
// the absence of a key.
func dangling(name string) bool {
	for {
		if st, err := os.Lstat(name); err == nil {
			return st.Mode()&fs.ModeSymlink != 0 && !exists(name)
		}
		up := filepath.Dir(name)
		if up == name {
			return false
		}
		name = up
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
