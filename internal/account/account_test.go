package account

import "testing"

func TestFind(t *testing.T) {
	t.Parallel()
	root, ok := Find("root")
	if !ok || root != (User{0, 0, "root"}) || Name(0) != "root" {
		t.Errorf("Find(root) = %+v, %v; Name(0) = %q", root, ok, Name(0))
	}
	if u, ok := Find("0"); !ok || u != root {
		t.Errorf("Find(0) = %+v, %v", u, ok)
	}
	if u, ok := Find("1999999999"); !ok || u != (User{1999999999, -1, "1999999999"}) || Name(1999999999) != "1999999999" {
		t.Errorf("a number of nobody: %+v, %v", u, ok)
	}
	for _, name := range []string{"", "no such user", "-1", "4294967296"} {
		if u, ok := Find(name); ok {
			t.Errorf("Find(%q) = %+v", name, u)
		}
	}
}
