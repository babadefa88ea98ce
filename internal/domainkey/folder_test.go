package domainkey

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A link in the place of the new directory changes nothing where it points to.
func TestAdoptFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(target, 0o751), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := adopt(link, 0o700, owner{uid: -1, gid: -1}); err == nil {
		t.Error("a link was followed")
	}
	if st, err := os.Stat(target); err != nil || st.Mode().Perm() == 0o700 {
		t.Errorf("%v, %v; want the mode unchanged", st.Mode(), err)
	}
	if err := adopt(target, 0o700, owner{uid: -1, gid: -1}); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(target); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v; want mode 0700", st.Mode(), err)
	}
}
