package qmailmaildir

import (
	"io"
	"os"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// memory is the length in bytes up to which a message waits in memory for its
// envelope. Most mail is shorter.
const memory = 64 << 10

// A delivery is a message on its way into the Maildir, which is the current
// directory.
type delivery struct {
	unique

	file *os.File // nil until made
	tmp  string   // its name
	size int64    // bytes of the message that are in it
}

// deliver takes the message through the states of a Maildir: nothing, tmp, new.
func (d *delivery) deliver(message, envelope io.Reader) error {
	err := d.write(message, envelope)
	if err == nil {
		err = d.commit()
	}
	if d.file != nil {
		os.Remove(d.tmp) // what is left there is for readers to clear away
	}
	return err
}

// write makes a message's file: the fields of its envelope, then the message,
// both durable. The envelope comes last, so that a message which does not fit
// into memory goes to disk before it and is moved within its file then: that
// needs no place for a second copy.
func (d *delivery) write(message, envelope io.Reader) error {
	buf, err := d.receive(message)
	if err != nil {
		return err
	}
	e, err := qmail.ReadEnvelope(envelope)
	if err != nil {
		return prog.Exit(int(qmail.CodeOf(err)))
	}
	head := fields(e)
	if d.file == nil {
		if err := d.create(); err != nil {
			return err
		}
	} else if err := shift(d.file, d.size, int64(len(head)), make([]byte, memory)); err != nil {
		return fail(qmail.WriteError, "unable to move a message within its file", err)
	}
	_, err = d.file.WriteAt(head, 0)
	if err == nil && len(buf) > 0 {
		_, err = d.file.WriteAt(buf, int64(len(head)))
	}
	if err == nil {
		err = d.file.Sync()
	}
	if err != nil {
		return unableToWrite(err)
	}
	return nil
}

// receive reads the message to its end: into memory, or all of it into the
// file when it does not fit.
func (d *delivery) receive(message io.Reader) (inMemory []byte, err error) {
	buf := make([]byte, 0, memory)
	for {
		n, err := message.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		end := err == io.EOF
		switch {
		case err != nil && !end:
			return nil, prog.Exit(int(qmail.ReadError))
		case end && d.file == nil:
			return buf, nil
		}
		if end || len(buf) == cap(buf) {
			if d.file == nil {
				if err := d.create(); err != nil {
					return nil, err
				}
			}
			if _, err := d.file.Write(buf); err != nil {
				return nil, unableToWrite(err)
			}
			d.size += int64(len(buf))
			buf = buf[:0]
		}
		if end {
			return nil, nil
		}
	}
}

func unableToWrite(err error) error { return fail(qmail.WriteError, "unable to write to tmp", err) }

// shift moves the first size bytes of a file n bytes towards its end, in
// pieces of the size of buf: the last ones first, since the places overlap.
func shift(f *os.File, size, n int64, buf []byte) error {
	for size > 0 {
		piece := buf[:min(int64(len(buf)), size)]
		size -= int64(len(piece))
		if _, err := f.ReadAt(piece, size); err != nil {
			return err
		}
		if _, err := f.WriteAt(piece, size+n); err != nil {
			return err
		}
	}
	return nil
}

// create makes the file in tmp.
func (d *delivery) create() error {
	err := d.try(func(name string) (err error) {
		d.tmp = "tmp/" + name
		d.file, err = prog.Open(d.tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		return err
	})
	if err != nil {
		return fail(qmail.NoMessFile, "unable to create a file in tmp", err)
	}
	return nil
}

// commit makes the message exist: under its name in new a reader finds it. A
// link never takes the place of a message that is there, as a rename would.
func (d *delivery) commit() error {
	dir, err := prog.Open("new", os.O_RDONLY, 0) // can fail, and so comes before the name
	if err == nil {
		defer dir.Close()
		err = d.try(func(name string) error { return os.Link(d.tmp, "new/"+name) })
	}
	if err != nil {
		return fail(qmail.NoTodoFile, "unable to create a name in new", err)
	}
	// The name may be there for good all the same, and the client will send
	// the message again: twice is better than never.
	if err := dir.Sync(); err != nil {
		return fail(qmail.NoTodoFile, "unable to sync new", err)
	}
	return nil
}
