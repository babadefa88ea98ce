package qmailqueue

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// An entry is a message on its way into the queue. Its file names are
// relative to the queue, which is the current directory.
type entry struct {
	pid, uid int
	born     time.Time
	syncDirs bool

	mess, intd *os.File // nil until made
	messDir    string   // mess/(N mod split)
	intdDir    string   // intd, or intd/(N mod split)
	todoDir    string
	number     string // N, the inode number of the message's file
}

// create makes the message's file. Its number is its inode, so it is born
// under another name in pid/, and moved.
func (e *entry) create() qmail.Code {
	prefix := "pid/" + strconv.Itoa(e.pid) + "." + strconv.FormatInt(e.born.Unix(), 10) + "."
	var name string
	for seq := 1; seq < 10 && e.mess == nil; seq++ {
		name = prefix + strconv.Itoa(seq)
		e.mess, _ = createFile(name)
	}
	if e.mess == nil {
		return qmail.NoPidFile
	}
	var st syscall.Stat_t
	if syscall.Fstat(int(e.mess.Fd()), &st) != nil {
		return qmail.NoPidFile
	}
	if err := e.place(st.Ino); err != nil {
		return qmail.NoMessFile
	}
	if os.Link(name, e.messName()) != nil {
		return qmail.NoMessFile
	}
	if os.Remove(name) != nil {
		return qmail.NoPidFile
	}
	return qmail.Queued
}

// place chooses the directories of message number n. Mess is always split
// into numbered directories; intd and todo are so in the queues of
// spamcontrol and sagredo, and flat in those of qmail 1.03 and notqmail.
func (e *entry) place(n uint64) error {
	split, err := splitOf("mess")
	if err != nil {
		return err
	}
	e.number = strconv.FormatUint(n, 10)
	sub := "/" + strconv.FormatUint(n%split, 10)
	e.messDir, e.intdDir, e.todoDir = "mess"+sub, "intd", "todo"
	if st, err := os.Stat("todo/0"); err == nil && st.IsDir() {
		e.intdDir, e.todoDir = "intd"+sub, "todo"+sub
	}
	return nil
}

func (e *entry) messName() string { return e.messDir + "/" + e.number }
func (e *entry) intdName() string { return e.intdDir + "/" + e.number }
func (e *entry) todoName() string { return e.todoDir + "/" + e.number }

// writeMessage writes the Received line and the message, in constant memory,
// and makes them durable.
func (e *entry) writeMessage(received string, message io.Reader) qmail.Code {
	buf := append(make([]byte, 0, 64<<10), received...)
	for {
		n, readErr := message.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if readErr != nil && readErr != io.EOF {
			return qmail.ReadError
		}
		if len(buf) == cap(buf) || readErr == io.EOF {
			if _, err := e.mess.Write(buf); err != nil {
				return qmail.WriteError
			}
			buf = buf[:0]
		}
		if readErr == io.EOF {
			break
		}
	}
	if e.mess.Sync() != nil || e.syncDir(e.messDir) != nil {
		return qmail.WriteError
	}
	return qmail.Queued
}

// writeEnvelope writes uid, pid and the envelope as qmail-send reads them,
// without the envelope's final NUL, and makes them durable.
func (e *entry) writeEnvelope(envelope io.Reader) qmail.Code {
	var err error
	if e.intd, err = createFile(e.intdName()); err != nil {
		return qmail.NoIntdFile
	}
	w := bufio.NewWriter(e.intd)
	w.WriteString("u" + strconv.Itoa(e.uid) + "\x00p" + strconv.Itoa(e.pid) + "\x00")
	var writeErr error
	err = qmail.ScanEnvelope(envelope, func(record []byte) error {
		_, writeErr = w.Write(record)
		return writeErr
	})
	switch {
	case writeErr != nil:
		return qmail.WriteError
	case err != nil:
		return qmail.CodeOf(err)
	case w.Flush() != nil || e.intd.Sync() != nil || e.syncDir(e.intdDir) != nil:
		return qmail.WriteError
	}
	return qmail.Queued
}

// commit makes the message exist: its name in todo is what qmail-send looks
// for. An error leaves the files as they are, because the name may be there
// all the same, and cleaning up would empty what it names.
func (e *entry) commit() qmail.Code {
	sync, err := e.dirSyncer(e.todoDir) // can fail, and so comes before the name
	if err != nil || os.Link(e.intdName(), e.todoName()) != nil || sync() != nil {
		return qmail.NoTodoFile
	}
	return qmail.Queued
}

// cleanUp empties and removes what was made so far, the envelope first, and
// returns code. It stops at the first name that it cannot remove: a message
// without its envelope is for qmail-send to sort out, an envelope without its
// message is not.
func (e *entry) cleanUp(code qmail.Code) qmail.Code {
	if e.intd != nil {
		_ = e.intd.Truncate(0)
		if os.Remove(e.intdName()) != nil {
			return code
		}
	}
	_ = e.mess.Truncate(0)
	os.Remove(e.messName())
	return code
}

// syncDir makes the names in a directory durable. Unlike C qmail-queue, which
// relies on file systems that write names at once.
func (e *entry) syncDir(name string) error {
	sync, err := e.dirSyncer(name)
	if err != nil {
		return err
	}
	return sync()
}

// dirSyncer opens a directory and returns what makes its names durable and
// closes it.
func (e *entry) dirSyncer(name string) (sync func() error, err error) {
	if !e.syncDirs {
		return func() error { return nil }, nil
	}
	dir, err := prog.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return func() error {
		defer dir.Close()
		return dir.Sync()
	}, nil
}

func createFile(name string) (*os.File, error) {
	return prog.Open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}
