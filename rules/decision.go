package rules

// A Client is what is known of the remote side. Host and Info are nil when
// unknown; an empty string is a known, empty name and is searched.
type Client struct {
	IP   string  // "192.0.2.7": text, because the search shortens it at its dots
	Host *string // its name in the DNS, in lower case, without final dot
	Info *string // what its ident server says of the user (RFC 1413)
}

// A Decision is the answer for one client: that of the one record that matched.
type Decision struct {
	Key   string // record that matched
	Found bool   // false: no record, allow with no changes
	Deny  bool
	Env   []Var    // in rule order; later wins
	Data  string   // the record as it is in the database, of which Deny and Env are the sense
	Tried []string // every key asked, in order, the match last
}

// Apply returns e with the variables of the decision set, later ones winning.
// They override what e holds. E is unchanged.
func (d Decision) Apply(e Environ) Environ { return e.With(d.Env...) }
