package domainkey

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim/keys"
)

// A turn is the change of a domain to another key.
type turn struct {
	world
	env     *prog.Env
	o       *options
	home    string
	control string // folder of dkimkeys
	name    string // of dkimkeys, as the user knows it
	ways    []way
	keys    []*keys.Key // the new one, and that of its second signature
	before  []outcome   // of ways
}

// change makes a domain's mail be signed by a key that every name server
// publishes, by its line in control/dkimkeys, and by nothing else: the
// selector is what the line names, so that no link may lead to another key.
func (w world) change(ctx context.Context, env *prog.Env, o *options, home string) error {
	t := &turn{world: w, env: env, o: o, home: home, control: string(qmail.ControlDir(home, env.Lookup))}
	t.name = strings.TrimPrefix(t.control+"/dkimkeys", home+"/")
	var err error
	if t.keys, err = o.private(env, home); err != nil {
		return o.unusable(home, err)
	}
	if t.ways, err = w.ways(env, o, home); err != nil {
		return err
	}
	var public []record
	for _, k := range t.keys {
		public = append(public, record{k.Selector, k.Signer.Public()})
	}
	code, err := w.everywhere(ctx, env, o, public)
	switch {
	case err != nil:
		return err
	case code == 1:
		return t.refuse(1, "not every name server publishes the key")
	case code != 0:
		return t.refuse(code, "not every name server can be asked")
	}
	unlock, err := lock(t.control)
	if err != nil {
		return t.failed("lock", t.control, err)
	}
	defer unlock()
	return t.write(ctx)
}

func (t *turn) refuse(code int, why string) error {
	return prog.Fatal(code, "unable to switch "+t.o.domain+" to "+t.o.selector, errors.New(why))
}

func (t *turn) failed(verb, name string, err error) error {
	return prog.Fatal(111, "unable to "+verb+" "+strings.TrimPrefix(name, t.home+"/"), err)
}

// write changes the file, if the next message would then be signed by the key.
func (t *turn) write(ctx context.Context) error {
	target, text, mode, own, err := t.read()
	if err != nil {
		return t.failed("read", t.name, err)
	}
	before := parseKeysFile(text)
	after, at := before.with(t.o.domain, keysDir+"/%/"+t.o.selector)
	t.before = tryAll(ctx, t.ways, t.o.domain, t.control, "")
	tmp, err := draft(filepath.Dir(target), mode, own, []byte(after.String()))
	if err != nil {
		return t.failed("write", t.name, err)
	}
	defer os.Remove(tmp) // which it is not, once it was renamed
	outcomes := tryAll(ctx, t.ways, t.o.domain, t.control, tmp)
	if !slices.ContainsFunc(outcomes, t.signs) {
		t.tell(outcomes, after, at)
		return t.refuse(1, "the next message would not be signed with it")
	}
	if after.String() == text {
		t.tell(outcomes, after, at)
		return output(t.env, t.o.domain+" is signed with s="+t.o.selector+" already\n")
	}
	note := t.note(allSelectors(outcomes, t.o.domain))
	if err := note(); err != nil {
		return t.failed("note the time in", keysDir+"/"+t.o.domain, err)
	}
	if err := errors.Join(os.Rename(tmp, target), syncDir(filepath.Dir(target))); err != nil {
		return t.failed("write", t.name, err)
	}
	t.tell(outcomes, after, at)
	// What was signed until this moment counts.
	if err := note(); err != nil {
		t.env.Warn("unable to note the time", err)
	}
	return t.done(allSelectors(outcomes, t.o.domain), at)
}

// read returns the file that dkimkeys is, through links, and what it holds,
// with the mode and the owner that it is to keep.
func (t *turn) read() (target, text string, mode fs.FileMode, own owner, err error) {
	mode, own = 0o644, owner{uid: -1, gid: -1}
	target, err = filepath.EvalSymlinks(t.control + "/dkimkeys")
	if errors.Is(err, fs.ErrNotExist) && !exists(t.control+"/dkimkeys") {
		return t.control + "/dkimkeys", "", mode, own, nil
	}
	if err != nil {
		return "", "", 0, own, err
	}
	st, err := os.Stat(target)
	if err != nil {
		return "", "", 0, own, err
	}
	if !st.Mode().IsRegular() {
		return "", "", 0, own, keys.ErrNotFile
	}
	sys := st.Sys().(*syscall.Stat_t)
	own.uid, own.gid = int(sys.Uid), int(sys.Gid)
	data, err := prog.ReadFile(target)
	return target, string(data), st.Mode().Perm(), own, err
}

// signs reports whether an outcome is the one that is wanted.
func (t *turn) signs(out outcome) bool { return out.by(t.o.domain, t.o.selector) }

// gone returns the selectors that signed before and are not among those that
// sign now.
func (t *turn) gone(now []string) []string {
	return slices.DeleteFunc(allSelectors(t.before, t.o.domain), func(s string) bool { return slices.Contains(now, s) })
}

// note returns what writes into the domain's folder that the keys which are
// gone sign no more from the moment on at which it is called. A domain that
// has no folder is signed by the keys of all such domains: theirs has it then.
func (t *turn) note(now []string) func() error {
	f := &folder{home: t.home, name: keysDir + "/" + t.o.domain}
	if !exists(f.at(f.name)) {
		f.name = keysDir
	}
	var st syscall.Stat_t
	err := syscall.Stat(f.at(f.name), &st)
	f.owner = owner{uid: int(st.Uid), gid: int(st.Gid)}
	old := ""
	if err == nil {
		old, err = readDepartures(f.at(f.name))
	}
	if old != "" && !strings.HasSuffix(old, "\n") {
		old += "\n"
	}
	return func() error {
		text := old
		for _, s := range t.gone(now) {
			d := departure{t.now(), s, t.o.selector, t.life(s)}
			text += d.String() + "\n"
		}
		if text == old || err != nil {
			return err
		}
		return f.replace(departuresFile, 0o644, []byte(text))
	}
}
