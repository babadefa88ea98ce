// Package qmail is the interface between a program that has a message and
// the queue program that takes it: envelope, exit codes, control files.
package qmail

import "strings"

// Code is the exit code of a queue program. Zero means the message is safe.
type Code int

// The codes that a queue program of this project exits with, as netqmail's
// and notqmail's qmail-queue.
const (
	Queued            Code = 0
	AddressTooLong    Code = 11
	Permanent         Code = 31 // permanently rejected
	NoKey             Code = 32 // private key file does not exist (qmail-dkim)
	OutOfMemory       Code = 51
	TimedOut          Code = 52
	WriteError        Code = 53
	ReadError         Code = 54
	ReadConfig        Code = 55 // unable to read configuration
	NoNetwork         Code = 56 // trouble making network connection
	Crashed           Code = 57 // the queue program behind this one crashed
	NoFork            Code = 58
	NoPipe            Code = 59
	NoHome            Code = 61 // trouble in home directory
	NoQueueDir        Code = 62
	NoPidFile         Code = 63
	NoMessFile        Code = 64
	NoIntdFile        Code = 65
	NoTodoFile        Code = 66
	Temporary         Code = 71 // temporarily rejected
	ConnectTimedOut   Code = 72 // to another mail server
	ConnectRefused    Code = 73 // likewise
	ConnectLost       Code = 74 // in the session with it
	Bug               Code = 81
	Custom            Code = 82 // text on descriptor 4, 6 or $ERROR_FD
	CustomOld         Code = 88 // the same, as sagredo's and indimail's programs exit
	BadEnvelope       Code = 91
	NoExec            Code = 120
	AddressTooLongOld Code = 115
)

// Reply returns the SMTP reply for a queue program that exited with c and
// said nothing of its own, as notqmail's qmail_close. For Queued it is empty.
func (c Code) Reply() string {
	switch c {
	case Queued:
		return ""
	case AddressTooLong, AddressTooLongOld:
		return "554 envelope address too long for qq (#5.1.3)"
	case Permanent:
		return "554 mail server permanently rejected message (#5.3.0)"
	case NoKey:
		return "554 Private key file does not exist (#5.3.5)"
	case OutOfMemory:
		return "451 qq out of memory (#4.3.0)"
	case TimedOut:
		return "451 qq timeout (#4.3.0)"
	case WriteError:
		return "451 qq write error or disk full (#4.3.0)"
	case ReadError:
		return "451 qq read error (#4.3.0)"
	case ReadConfig:
		return "451 qq unable to read configuration (#4.3.0)"
	case NoNetwork:
		return "451 qq trouble making network connection (#4.3.0)"
	case NoHome:
		return "451 qq trouble in home directory (#4.3.0)"
	case NoQueueDir, NoPidFile, NoMessFile, NoIntdFile, NoTodoFile:
		return "451 qq trouble creating files in queue (#4.3.0)"
	case Temporary:
		return "451 mail server temporarily rejected message (#4.3.0)"
	case ConnectTimedOut:
		return "451 connection to mail server timed out (#4.4.1)"
	case ConnectRefused:
		return "451 connection to mail server rejected (#4.4.1)"
	case ConnectLost:
		return "451 communication with mail server failed (#4.4.2)"
	case Bug, BadEnvelope:
		return "451 qq internal bug (#4.3.0)"
	case NoExec:
		return "451 unable to exec qq (#4.3.0)"
	}
	if c >= 11 && c <= 40 {
		return "554 qq permanent problem (#5.3.0)"
	}
	return "451 qq temporary problem (#4.3.0)"
}

// ReplyWith returns the SMTP reply for a queue program that exited with c and
// left words on its error descriptor: with the codes for that, and more than
// two bytes, D and a text refuse for good and any other letter for now.
// Control bytes cannot break out of the reply. Incomplete says that the
// program was not given everything: its success is then none.
func (c Code) ReplyWith(words string, incomplete bool) string {
	if c == Queued && incomplete {
		c = ReadError
	}
	if c != Custom && c != CustomOld || len(words) <= 2 {
		return c.Reply()
	}
	prefix := "451 "
	if words[0] == 'D' {
		prefix = "554 "
	}
	text := []byte(strings.TrimRight(words[1:], "\r\n"))
	for i, b := range text {
		if b < ' ' || b == 0x7f {
			text[i] = '?'
		}
	}
	return prefix + string(text)
}
