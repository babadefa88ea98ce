package domainkey

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ucspi-go/internal/account"
	"ucspi-go/internal/qmail"
)

// life returns how long the signatures of a selector were valid before the
// turn, 0 for ever.
func (t *turn) life(selector string) time.Duration {
	longest := time.Duration(0)
	for _, out := range t.before {
		if !out.by(t.o.domain, selector) {
			continue
		}
		if out.life == 0 {
			return 0
		}
		longest = max(longest, out.life)
	}
	return longest
}

// tell warns of what defeats the turn, or may.
func (t *turn) tell(outcomes []outcome, file keysFile, at int) {
	for _, out := range outcomes {
		if t.signs(out) {
			continue
		}
		t.env.Warn(out.where()+": mail of "+t.o.domain+" is "+out.how()+" ("+out.because()+")", nil)
	}
	warnUnsure(t.env, t.ways)
	for _, i := range file.dead(t.o.domain, at) {
		t.env.Warn(t.name+" line "+strconv.Itoa(i+1)+" never counts: line "+strconv.Itoa(at+1)+" does", nil)
	}
	for _, out := range outcomes {
		if !t.signs(out) {
			continue
		}
		for _, s := range out.selectors(t.o.domain) {
			if s != t.o.selector && s != t.o.selector+second {
				t.env.Warn(out.where()+" makes a second signature, with s="+s, nil)
			}
		}
	}
	t.compareOwners()
}

// compareOwners warns when the new key is another user's than the one that
// signs now: what root tries here may be refused to qmail-smtpd.
func (t *turn) compareOwners() {
	for _, out := range t.before {
		for _, s := range out.report.Signed {
			var old, next syscall.Stat_t
			path := t.keys[0].Path
			if syscall.Stat(qmail.At(t.home, s.Key), &old) != nil || syscall.Stat(qmail.At(t.home, path), &next) != nil {
				continue
			}
			if old.Uid != next.Uid && os.FileMode(next.Mode)&0o004 == 0 {
				t.env.Warn("the key "+path+" belongs to "+account.Name(int(next.Uid))+", the one that signs now to "+account.Name(int(old.Uid)), nil)
				return
			}
		}
	}
}

// done prints what was done and what may follow.
func (t *turn) done(now []string, at int) error {
	var before []string
	for _, out := range t.before {
		if s := out.how(); len(before) == 0 || before[len(before)-1] != s {
			before = append(before, s)
		}
	}
	text := "switched " + t.o.domain + " to s=" + t.o.selector + " from the next message on: " + t.name + " line " + strconv.Itoa(at+1) +
		"; so far " + strings.Join(before, "; ") + "\n"
	queue, err := queueLife(qmail.Control(t.control))
	if err != nil {
		t.env.Warn("unable to read control/queuelifetime", err)
	}
	gone := t.gone(now)
	for i, s := range gone {
		d := departure{when: t.now(), life: t.life(s)}
		first := strings.TrimSuffix(s, second)
		if i > 0 && gone[i-1] == first && t.life(first) == d.life {
			continue // is named with it
		}
		text += "keep " + s
		if i+1 < len(gone) && gone[i+1] == s+second {
			text += " and " + gone[i+1]
		}
		text += " published until " + d.end(queue).Format(minutes)
		if d.life == 0 {
			text += " at least, as its signatures do not expire"
		}
		text += ", then: domainkey -r " + t.o.domain + " " + first + "\n"
	}
	return output(t.env, text)
}
