package domainkey

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
)

// explain says what the keys of one domain are for.
func (v *inventory) explain(ctx context.Context, rows []row) {
	domain, folder := rows[0].domain, keysDir+"/"+rows[0].domain
	if domain == every {
		domain, folder = some, keysDir
	}
	outcomes := tryAll(ctx, v.ways, domain, v.control, "")
	gone, err := readDepartures(filepath.Join(v.home, folder))
	if err != nil {
		v.env.Warn("unable to read "+folder+"/"+departuresFile, bareCause(err))
		v.code = worse(v.code, 111)
	}
	departures := parseDepartures(gone)
	for i := range rows {
		r := &rows[i]
		if uses := v.uses(outcomes, domain, folder+"/"+r.selector); len(uses) > 0 {
			r.signs = true
			r.use = "signs " + strings.Join(uses, ", ")
		} else if d, ok := departures[r.selector]; ok && r.key != nil {
			r.use = v.retirement(d)
		} else if r.key != nil {
			r.use = "signs nothing"
		}
	}
	if domain != some {
		v.complain(outcomes, domain)
	}
}

// uses says in which ways a domain's mail is signed with the key at a path.
func (v *inventory) uses(outcomes []outcome, domain, path string) (uses []string) {
	var ruled []way
	for _, out := range outcomes {
		if !slices.ContainsFunc(out.report.Signed, func(s qmaildkim.Signed) bool { return s.Key == path }) {
			continue
		}
		if i := v.dkimkeys.find(domain); i < 0 || out.report.KeysLine != v.dkimkeys.line(i) {
			ruled = append(ruled, out.way)
		} else if len(uses) == 0 {
			uses = append(uses, "by control/dkimkeys line "+strconv.Itoa(i+1))
		}
	}
	if len(ruled) > 0 {
		uses = append(uses, "for "+merge(ruled).where())
	}
	return uses
}

// retirement says from when on a key is needed no more.
func (v *inventory) retirement(d departure) string {
	end := d.end(v.queueLife)
	s := "gave way to " + d.next + " on " + d.when.Format(minutes) + ", "
	if v.now().Before(end) {
		s += "can be retired after " + end.Format(minutes)
	} else {
		s += "can be retired"
	}
	if d.life == 0 {
		s += " by those who accept that its signatures do not expire"
	}
	return s
}

// complain warns of mail of a domain that is refused, or signed with a key
// that is no row.
func (v *inventory) complain(outcomes []outcome, domain string) {
	for _, out := range outcomes {
		if out.err != nil {
			v.env.Warn(out.where()+": mail of "+domain+" is refused ("+out.because()+")", nil)
			v.code = 1
		}
		for _, s := range out.report.Signed {
			if s.Domain == domain && !strings.HasPrefix(s.Key, keysDir+"/") {
				v.env.Warn(out.where()+": mail of "+domain+" is signed with "+s.Key+", which is not in "+keysDir, nil)
			}
		}
	}
}

// premature warns when the key that is to be revoked is still needed, or when
// that cannot be told: the record is no secret, but where the keys are is not
// for everybody to read.
func (w world) premature(ctx context.Context, env *prog.Env, o *options, home string) {
	v, err := w.inventory(env, o, home)
	var e *prog.Error
	if errors.As(err, &e) {
		env.Warn(e.What, e.Err)
		return
	}
	for _, out := range tryAll(ctx, v.ways, o.domain, v.control, "") {
		if out.by(o.domain, o.selector) {
			env.Warn(out.where()+": mail of "+o.domain+" is still signed with s="+o.selector, nil)
			return
		}
	}
	text, err := readDepartures(filepath.Join(home, keysDir, o.domain))
	if err != nil {
		env.Warn("unable to read "+keysDir+"/"+o.domain+"/"+departuresFile, bareCause(err))
		return
	}
	if d, ok := parseDepartures(text)[o.selector]; ok && v.now().Before(d.end(v.queueLife)) {
		env.Warn("mail that was signed with s="+o.selector+" can be on its way until "+d.end(v.queueLife).Format(minutes), nil)
	}
}
