package domainkey

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// departuresFile is the file in a domain's folder that tells when its keys
// ceased to sign. No selector has such a name.
const departuresFile = ".switched"

// A departure is the moment from which a key signs no more: a line of
// departuresFile, TIME SELECTOR NEXT SECONDS, with SECONDS "-" for ever.
type departure struct {
	when     time.Time // in UTC, to the second
	selector string
	next     string        // the key that signs since
	life     time.Duration // of the last signatures; 0 if they do not expire
}

func (d departure) String() string {
	life := "-"
	if d.life > 0 {
		life = strconv.FormatInt(int64(d.life/time.Second), 10)
	}
	return d.when.UTC().Format(time.RFC3339) + " " + d.selector + " " + d.next + " " + life
}

// end returns when nobody can be expected to look for the key any more: its
// signatures have expired, counted from when the last message that it signed
// may leave the queue. The minute is one that has begun by then.
func (d departure) end(queue time.Duration) time.Time {
	return d.when.Add(d.life + queue + time.Minute - 1).Truncate(time.Minute)
}

// parseDepartures returns the last departure of each key. Lines that are none
// do not count.
func parseDepartures(text string) map[string]departure {
	last := map[string]departure{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) != 4 {
			continue
		}
		when, err := time.Parse(time.RFC3339, words[0])
		seconds, errLife := strconv.ParseUint(words[3], 10, 31)
		if err != nil || errLife != nil && words[3] != "-" {
			continue
		}
		last[words[1]] = departure{when, words[1], words[2], time.Duration(seconds) * time.Second}
	}
	return last
}

// maxDepartures bounds the file in bytes: some ten thousand switches.
const maxDepartures = 1 << 20

// readDepartures returns the text of the file in a domain's folder, empty
// where there is none. The folder may be another user's than root's, who runs
// this: it follows no link and waits for no writer.
func readDepartures(folder string) (string, error) {
	f, err := prog.Open(folder+"/"+departuresFile, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDepartures))
	return string(data), err
}

// queueLife returns how long a message may wait in qmail's queue:
// control/queuelifetime, or a week. As qmail-send.
func queueLife(control qmail.Control) (time.Duration, error) {
	const week = 604800
	line, _, err := control.Line("queuelifetime")
	if err != nil {
		return 0, err
	}
	n, digits := prog.Number(line)
	if digits == 0 {
		n = week
	}
	return time.Duration(min(n, 1<<31)) * time.Second, nil
}

const minutes = "2006-01-02 15:04 UTC"
