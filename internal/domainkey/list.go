package domainkey

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
)

const (
	// every is the domain of a key that serves all domains without their own.
	every = "*"

	// some is one of those.
	some = "domain.invalid"

	listAtOnce = 8                // lookups
	listBudget = 10 * time.Second // for one of them
)

// A row is a key in the list.
type row struct {
	domain, selector string
	key              *keys.Key // nil when it cannot be used
	made             time.Time
	state            string // of qmaildkim.Publication; "-" when nobody can ask
	use              string // what it does, and until when it is needed
	signs            bool
}

// An inventory is what list finds out.
type inventory struct {
	world
	env       *prog.Env
	home      string
	control   string
	ways      []way
	dkimkeys  keysFile
	queueLife time.Duration
	rows      []row
	code      int // of the program
}

// list prints a line for every key: what it is, whether verifiers find it, what
// it signs, or when it is needed no more. It returns nil when all keys that
// sign are published; the code is 1 when one is not, or when mail would be
// refused for want of one, and 111 when that cannot be told.
func (w world) list(ctx context.Context, env *prog.Env, o *options, home string) error {
	v, err := w.inventory(env, o, home)
	if err != nil {
		return err
	}
	if err := v.find(o.domain); err != nil {
		return err
	}
	for i := 0; i < len(v.rows); {
		n := i + 1
		for n < len(v.rows) && v.rows[n].domain == v.rows[i].domain {
			n++
		}
		v.explain(ctx, v.rows[i:n])
		i = n
	}
	v.lookup(ctx)
	for i := range v.rows {
		v.judge(&v.rows[i])
	}
	if len(v.rows) == 0 && v.code == 0 {
		say(env, "there are no keys in "+keysDir)
	}
	if err := output(env, v.table()); err != nil || v.code == 0 {
		return err
	}
	return prog.Exit(v.code)
}

func (w world) inventory(env *prog.Env, o *options, home string) (*inventory, error) {
	v := &inventory{world: w, env: env, home: home, control: string(qmail.ControlDir(home, env.Lookup))}
	var err error
	if v.ways, err = w.ways(env, o, home); err != nil {
		return nil, err
	}
	text, err := prog.ReadFile(v.control + "/dkimkeys")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, prog.Fatal(111, "unable to read control/dkimkeys", err)
	}
	v.dkimkeys = parseKeysFile(string(text))
	if v.queueLife, err = queueLife(qmail.Control(v.control)); err != nil {
		return nil, prog.Fatal(111, "unable to read control/queuelifetime", err)
	}
	return v, nil
}

// find fills the rows with the keys of a domain, or of all.
func (v *inventory) find(domain string) error {
	entries, err := os.ReadDir(v.home + "/" + keysDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return prog.Fatal(111, "unable to read "+keysDir, bareCause(err))
	}
	for _, e := range entries {
		name := e.Name()
		st, err := os.Stat(v.home + "/" + keysDir + "/" + name)
		if err != nil || !st.IsDir() {
			if domain == "" {
				v.add(every, keysDir, name)
			}
			continue
		}
		if d, ok := keys.Domain(name); !ok || d != name || domain != "" && domain != name {
			continue
		}
		files, err := os.ReadDir(v.home + "/" + keysDir + "/" + name)
		if err != nil {
			v.env.Warn("unable to read "+keysDir+"/"+name, bareCause(err))
			v.code = worse(v.code, 111)
		}
		for _, f := range files {
			v.add(name, keysDir+"/"+name, f.Name())
		}
	}
	return nil
}

// add adds a row for a file that is named after a selector.
func (v *inventory) add(domain, folder, name string) {
	for _, kind := range []string{"rsa", "ed25519"} {
		if strings.HasPrefix(name, kind+".private_") || strings.HasPrefix(name, kind+".public_") {
			return
		}
	}
	if _, ok := keys.RecordName(name, some); !ok || strings.HasSuffix(name, ".pub") {
		return
	}
	r := row{domain: domain, selector: name, state: "-"}
	path := folder + "/" + name
	if st, err := os.Stat(filepath.Join(v.home, path)); err == nil {
		r.made = st.ModTime()
	}
	key, err := keys.Store{Home: v.home}.Find(path, some)
	if err != nil {
		what, why := fault(err)
		r.use = what + ": " + prog.Errstr(why)
		v.code = worse(v.code, 111)
	}
	r.key = key
	v.rows = append(v.rows, r)
}

// lookup asks for the records of all keys.
func (v *inventory) lookup(ctx context.Context) {
	resolver := v.resolver(v.env)
	resolver.Budget = listBudget
	free := make(chan bool, listAtOnce)
	var asking sync.WaitGroup
	for i := range v.rows {
		r := &v.rows[i]
		name, ok := keys.RecordName(r.selector, r.domain)
		if r.key == nil || !ok {
			continue
		}
		asking.Go(func() {
			free <- true
			texts, err := resolver.LookupTXT(ctx, name)
			r.state = qmaildkim.Published(r.key.Signer.Public(), texts, err).State
			<-free
		})
	}
	asking.Wait()
}

// judge makes of a key that signs the code of the program.
func (v *inventory) judge(r *row) {
	switch {
	case !r.signs, r.state == qmaildkim.PublishedMatch, r.state == "-":
	case r.state == qmaildkim.PublishedTemporary:
		v.code = worse(v.code, 111)
	default:
		v.code = 1
	}
}

// table returns the rows below each other.
func (v *inventory) table() string {
	if len(v.rows) == 0 {
		return ""
	}
	cells := [][]string{{"domain", "selector", "algorithm", "bits", "age", "published", "use"}}
	for _, r := range v.rows {
		algorithm, bits, age := "-", "-", "-"
		if r.key != nil {
			algorithm, _, _ = strings.Cut(r.key.Algorithm, "-")
			bits = strconv.Itoa(r.key.Bits)
		}
		if !r.made.IsZero() {
			age = strconv.Itoa(int(v.now().Sub(r.made).Hours()/24)) + "d"
		}
		cells = append(cells, []string{r.domain, r.selector, algorithm, bits, age, r.state, r.use})
	}
	return align(cells)
}

// align returns rows of cells in columns, the last one as it is.
func align(cells [][]string) string {
	width := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, row := range cells {
		for i, c := range row {
			b.WriteString(c)
			if i+1 < len(row) {
				b.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// bareCause returns what is wrong with a file that the message names already.
func bareCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
