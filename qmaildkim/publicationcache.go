package qmaildkim

import (
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"ucspi-go/internal/private"

	"golang.org/x/sys/unix"
)

// A publicationCache is a file in which the qmail-dkim processes of one user
// keep what is published of keys. It is never needed: whatever is wrong with
// it, a process asks the DNS.
type publicationCache struct {
	folder string // of private.OpenFolder
	now    func() time.Time
}

// newPublicationCache returns the cache in a folder for temporary files.
func newPublicationCache(tempDir string) *publicationCache {
	return &publicationCache{folder: private.Path(tempDir, "qmail-dkim"), now: time.Now}
}

// Names in the folder.
const (
	cacheFile = "preflight"
	cacheTemp = "preflight.new"
)

var (
	errCacheDamaged = errors.New("not a cache of preflight answers")
	errCacheForeign = errors.New("not a file of this user alone")
)

// fill gives the entries that the file knows their states.
func (c *publicationCache) fill(entries []cacheEntry) error {
	folder, err := private.OpenFolder(c.folder)
	if err != nil {
		return err
	}
	defer unix.Close(folder)
	known, err := readCache(folder)
	if err != nil {
		return err
	}
	now := c.now()
	for i := range entries {
		for _, k := range known {
			if k.name == entries[i].name && k.key == entries[i].key && k.fresh(now) {
				entries[i] = k
			}
		}
	}
	return nil
}

// store puts the new ones among entries into the file. If another process is
// storing, that one has precedence: nobody waits, and what is lost is asked
// for again.
func (c *publicationCache) store(entries []cacheEntry) error {
	folder, err := private.OpenFolder(c.folder)
	if err != nil {
		return err
	}
	defer unix.Close(folder)
	if err := unix.Flock(folder, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if err == unix.EWOULDBLOCK {
			return nil
		}
		return err
	}
	now := c.now()
	known, _ := readCache(folder) // one that cannot be read is replaced
	known = slices.DeleteFunc(known, func(k cacheEntry) bool {
		return !k.fresh(now) || slices.ContainsFunc(entries, func(e cacheEntry) bool { return e.name == k.name })
	})
	for _, e := range entries {
		if e.kept > 0 {
			e.until = now.Add(e.kept).Unix()
		}
		known = append(known, e)
	}
	return writeCache(folder, formatCache(known))
}

// readCache returns what the file in a folder knows: nothing, without an
// error, when there is no file.
func readCache(folder int) ([]cacheEntry, error) {
	fd, err := unix.Openat(folder, cacheFile, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), cacheFile)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return nil, errCacheForeign
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCache+1))
	if err != nil {
		return nil, err
	}
	entries, ok := parseCache(data)
	if !ok {
		return nil, errCacheDamaged
	}
	return entries, nil
}

// writeCache replaces the file in a folder, whose lock the caller holds. A
// reader finds the old one or the new one, and a crash leaves one of them.
func writeCache(folder int, data []byte) error {
	unix.Unlinkat(folder, cacheTemp, 0) // of a process that was killed
	fd, err := unix.Openat(folder, cacheTemp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), cacheTemp)
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = unix.Renameat(folder, cacheTemp, folder, cacheFile)
	}
	if err != nil {
		unix.Unlinkat(folder, cacheTemp, 0)
	}
	return err
}
