package rules

import (
	"io/fs"
	"sync"
	"syscall"
	"time"
)

// Live is a rules database that is looked up by its path: a new file there
// takes effect at the next lookup. Its methods may be called concurrently.
type Live struct {
	name string
	mu   sync.RWMutex // held for reading during a lookup, so that none meets a closed file
	db   *DB          // nil before the first use and after a failure to open
	id   identity     // of the file that db reads; zero when it is not to be relied on

	settle time.Duration // how long a file is new
	watch  watch
}

// identity tells one state of a file from another. The file that has it is
// held open, so that its inode cannot be used again.
type identity struct {
	dev, ino, size, mtime, ctime int64 // times in nanoseconds
}

// NewLive returns the database at that path. Nothing is opened yet.
func NewLive(name string) *Live { return &Live{name: name, settle: time.Second} }

// Lookup is Lookup in the database that is at the path now. The error is one
// of Open or of DB.Lookup; after it the client must not pass.
func (l *Live) Lookup(c Client) (Decision, error) {
	var st syscall.Stat_t
	if err := retry(func() error { return syscall.Stat(l.name, &st) }); err != nil {
		return Decision{}, &fs.PathError{Op: "open", Path: l.name, Err: err}
	}
	id := identify(&st)
	l.mu.RLock()
	if l.db != nil && l.id == id {
		defer l.mu.RUnlock()
		return l.db.Lookup(c)
	}
	l.mu.RUnlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.db == nil || l.id != id {
		if err := l.reopen(); err != nil {
			return Decision{}, err
		}
	}
	return l.db.Lookup(c)
}

func (l *Live) reopen() error {
	if err := l.close(); err != nil {
		return err
	}
	f, err := openFile(l.name)
	if err != nil {
		return err
	}
	if l.db, err = NewDB(l.name, f, f.stat.Size); err != nil {
		f.Close()
		return err
	}
	l.id = identify(&f.stat)
	if err := l.watch.look(l.db, l.id); err != nil {
		l.close()
		return err
	}
	// Within one tick of the clock that stamps files, more could be written
	// with the same times: such a file is opened again each time.
	if age := time.Now().UnixNano() - l.id.ctime; age < int64(l.settle) {
		l.id = identity{}
	}
	return nil
}

// Close closes the file. A later lookup opens it again.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.close()
}

func (l *Live) close() error {
	if l.db == nil {
		return nil
	}
	db := l.db
	l.db = nil
	return db.Close()
}

func identify(st *syscall.Stat_t) identity {
	return identity{
		dev:   int64(st.Dev),
		ino:   int64(st.Ino),
		size:  st.Size,
		mtime: st.Mtim.Nano(),
		ctime: st.Ctim.Nano(),
	}
}
