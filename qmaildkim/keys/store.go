package keys

import (
	"crypto"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// A Key is a private key read from a file.
type Key struct {
	Signer    crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
	Algorithm string        // "rsa-sha256" or "ed25519-sha256", the a= of its signatures
	Bits      int           // of the RSA modulus; 256 for Ed25519
	Selector  string        // s=
	Path      string        // where it was found, as configured: relative to Store.Home or absolute
	Warn      string        // a word for the log, "world-readable-key", or empty
}

// A Store is the folders of a mail host in which keys are found.
type Store struct {
	Home    string // qmail's home directory
	Control string // control directory, second place of paths not starting with "control/"; from Home unless absolute; empty for none

	Selector string // s= of what Find returns; empty is what Selector returns

	// Watch, unless nil, is told each path that Find tries, with the error of
	// reading it, and that of Second where there is a file.
	Watch func(path string, err error)
}

// ErrNoKey is the error, reached by errors.Is, of a Find that found no file.
var ErrNoKey = errors.New("no private key")

// NoKeyError says where a key was looked for.
type NoKeyError struct {
	Tried []string // every path, in order, relative to Store.Home where configured so
}

func (e *NoKeyError) Error() string { return "keys: no private key: " + strings.Join(e.Tried, ",") }

// Unwrap returns ErrNoKey.
func (e *NoKeyError) Unwrap() error { return ErrNoKey }

// A FaultError is a key that exists, or may exist, but cannot be used. It is
// temporary: mail must not leave unsigned because of it.
type FaultError struct {
	Path string // as Key.Path
	Err  error
}

func (e *FaultError) Error() string { return "keys: " + e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FaultError) Unwrap() error { return e.Err }

// Causes of a FaultError besides those of the system.
var (
	ErrSelector  = errors.New("selector is not a DNS name")
	ErrDomain    = errors.New("domain is not a DNS name")
	ErrDangling  = errors.New("symbolic link to a file that does not exist")
	ErrNotFile   = errors.New("not a regular file")
	ErrTooLarge  = errors.New("file too large for a key")
	ErrNotKey    = errors.New("no RSA or Ed25519 private key in PEM form")
	ErrDamaged   = errors.New("private key is damaged")
	ErrEncrypted = errors.New("private key is encrypted")
	ErrTooShort  = errors.New("RSA key is shorter than 1024 bits")
)

// Find returns the key that pattern names for domain, which is one that Domain
// returned. Every "%" in pattern stands for the domain; a pattern with "%" also
// stands for the path without it, tried after. A relative path is tried from
// Home and then, unless it starts with "control/", from Control, as today's
// qmail-dkim understands it. Trailing slashes are ignored.
//
// Only a file that does not exist lets the search go on; when none exists the
// error is a *NoKeyError. Any other trouble is a *FaultError.
func (s Store) Find(pattern, domain string) (*Key, error) {
	pattern = strings.TrimRight(pattern, "/")
	if d, ok := Domain(domain); !ok || d != domain {
		return nil, &FaultError{pattern, ErrDomain}
	}
	selector, ok := s.Selector, labels(s.Selector)
	if selector == "" {
		selector, ok = Selector(pattern, domain)
	}
	if !ok || pattern == "" {
		return nil, &FaultError{pattern, ErrSelector}
	}
	var missing NoKeyError
	for _, path := range s.Paths(pattern, domain) {
		key, err := s.read(path)
		s.watch(path, err)
		if errors.Is(err, fs.ErrNotExist) {
			missing.Tried = append(missing.Tried, path)
			continue
		}
		if err != nil {
			return nil, err
		}
		key.Selector = selector
		return key, nil
	}
	return nil, &missing
}

// Second returns the key that makes a second signature beside first's: the
// file whose name is first's with "-ed25519" added. Its selector is so named
// too. Key and error are nil when there is no such file.
func (s Store) Second(first *Key) (*Key, error) {
	const suffix = "-ed25519"
	path, selector := first.Path+suffix, first.Selector+suffix
	if !labels(selector) {
		return nil, nil
	}
	key, err := s.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	s.watch(path, err)
	if err != nil {
		return nil, err
	}
	key.Selector = selector
	return key, nil
}

// Folders returns the folders, from Home unless absolute, below which Find and
// Second look for the keys of pattern, whatever the domain.
func (s Store) Folders(pattern string) []string {
	pattern = strings.TrimRight(pattern, "/")
	if pattern == "" {
		return nil
	}
	fixed, _, _ := strings.Cut(pattern, "%")
	var folders []string
	for _, path := range []string{fixed, strings.ReplaceAll(pattern, "%", "")} {
		folder := path[:strings.LastIndexByte(path, '/')+1]
		if folder == "" {
			folder = "./"
		}
		for _, place := range s.places(folder) {
			if !slices.Contains(folders, place) {
				folders = append(folders, place)
			}
		}
	}
	return folders
}

func (s Store) watch(path string, err error) {
	if s.Watch != nil {
		s.Watch(path, err)
	}
}

// Paths returns the paths that pattern stands for, in the order in which they
// are tried. One whose last component is nothing but "%" has no form without
// it: that would be a directory.
func (s Store) Paths(pattern, domain string) []string {
	return append(s.places(strings.ReplaceAll(pattern, "%", domain)), s.Fallback(pattern)...)
}

// Fallback returns the paths that pattern stands for when a domain has no key:
// those without "%". A key there signs mail of every domain. There are none
// for a pattern without "%".
func (s Store) Fallback(pattern string) []string {
	pattern = strings.TrimRight(pattern, "/")
	without := strings.ReplaceAll(pattern, "%", "")
	if without == pattern || without == "" || strings.HasSuffix(without, "/") {
		return nil
	}
	return s.places(without)
}

// places returns where a path is looked for. Only slashes are squeezed:
// filepath.Clean would take "link/.." for nothing.
func (s Store) places(path string) []string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if path[0] == '/' || strings.HasPrefix(path, "control/") || s.Control == "" {
		return []string{path}
	}
	second := strings.TrimPrefix(s.Control+"/"+path, s.Home+"/")
	return []string{path, second}
}
