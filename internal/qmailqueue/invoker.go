package qmailqueue

import (
	"bytes"
	"strconv"
)

// invoker returns how the Received line names the caller: by its user ID, or
// by its part in qmail when passwd, which holds /etc/passwd, gives that ID to
// one of qmail's users. A user that does not exist is nobody's.
func invoker(uid int, passwd []byte) string {
	parts := []struct{ user, words string }{
		{"alias", "by alias"},
		{"qmaild", "from network"},
		{"qmails", "for bounce"},
	}
	for _, part := range parts {
		if id, ok := userID(part.user, passwd); ok && id == uid {
			return part.words
		}
	}
	return "by uid " + strconv.Itoa(uid)
}

func userID(user string, passwd []byte) (id int, ok bool) {
	for line := range bytes.Lines(passwd) {
		fields := bytes.Split(line, []byte(":"))
		if len(fields) > 3 && string(fields[0]) == user {
			id, err := strconv.Atoi(string(fields[2]))
			return id, err == nil
		}
	}
	return 0, false
}
