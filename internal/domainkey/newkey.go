package domainkey

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// NewKeyUsage is the command line of dknewkey.
const NewKeyUsage = "dknewkey keyfile [ bits ]"

// RunNewKey makes an RSA key in a file, writes its record to another, with
// ".pub" behind the name, and prints it. As dknewkey of libdomainkeys 0.69;
// unlike that it never overwrites a file, only its owner can read the key, and
// the default is 2048 bits.
func RunNewKey(_ context.Context, env *prog.Env) error {
	if n := len(env.Args); n < 1 || n > 2 || env.Args[0] == "" {
		return prog.Usage(NewKeyUsage, "")
	}
	file, bits := env.Args[0], defaultBits
	if len(env.Args) == 2 {
		var err error
		if bits, err = strconv.Atoi(env.Args[1]); err != nil || bits < minBits || bits > maxBits {
			return prog.Usage(NewKeyUsage, "bits are a number from 1024 to 8192")
		}
	}
	dir, name := filepath.Split(file)
	if dir == "" {
		dir = "."
	}
	f := &folder{home: filepath.Clean(dir), name: ".", owner: owner{uid: -1, gid: -1}}
	for _, name := range []string{name, name + ".pub"} {
		if err := f.absent(name); err != nil {
			return failedNewKey(file, err)
		}
	}
	if bits < defaultBits {
		env.Warn("RSA keys under 2048 bits are weak", nil)
	}
	line, err := f.newKey(name, bits)
	if err != nil {
		f.undo()
		return failedNewKey(file, err)
	}
	return output(env, line)
}

// newKey makes a key and the file with its record, and returns the line of a
// zone that the latter has.
func (f *folder) newKey(name string, bits int) (line string, err error) {
	key, err := generate("rsa", bits)
	if err != nil {
		return "", err
	}
	text, err := keys.Record(key.public, false)
	if err != nil {
		return "", err
	}
	line = name + "._domainkey\tIN\tTXT\t" + keys.Quoted(text) + "\n"
	if err := f.file(name, 0o600, key.privatePEM); err != nil {
		return "", err
	}
	if err := f.file(name+".pub", 0o644, []byte(line)); err != nil {
		return "", err
	}
	return line, f.sync()
}

func failedNewKey(file string, err error) error {
	what := "unable to make " + file
	if errors.Is(err, fs.ErrExist) {
		return &prog.Error{Code: 1, Severity: "fatal", What: what, Err: fs.ErrExist,
			Hint: "neither a key nor a record is overwritten: choose another name, or move " + file + " and " + file + ".pub away"}
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return prog.Fatal(111, what, err)
}
