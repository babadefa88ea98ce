package qmaildkim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDomainLists(t *testing.T) {
	t.Parallel()
	bad := signed(replace("lost", "won"))(t)
	for _, test := range []struct {
		name   string
		files  map[string]string
		set    string
		msg    string
		letter Letter
		old    Letter
	}{
		{"none", nil, "", plain, 'S', 0},
		{"unsigned", map[string]string{"signaturedomains": "# banks\nexample.com\n"}, "", plain, 'G', 'S'},
		{"letter case", map[string]string{"signaturedomains": "EXAMPLE.com\n"}, "", "From: joe@Example.COM\n\nx\n", 'G', 'S'},
		{"international", map[string]string{"signaturedomains": "bücher.example\n"}, "", "From: joe@xn--bcher-kva.example\n\nx\n", 'G', 'S'},
		{"bad keeps its letter", map[string]string{"signaturedomains": "example.com\n"}, "", bad, 'U', 0},
		{"good", map[string]string{"signaturedomains": "example.com\n"}, "", signed(nil)(t), 'A', 0},
		{"good, exempt", map[string]string{"nosignaturedomains": "*\n"}, "", signed(nil)(t), 'A', 0},
		{"not listed", map[string]string{"signaturedomains": "example.org\n"}, "", plain, 'S', 0},
		{"subdomain is not listed", map[string]string{"signaturedomains": "example.com\n"}, "", "From: joe@sub.example.com\n\nx\n", 'S', 0},
		{"variable instead of the file", map[string]string{"signaturedomains": "example.com\n"}, "SIGNATUREDOMAINS=example.org", plain, 'S', 0},
		{"variable, empty", map[string]string{"signaturedomains": "example.com\n"}, "SIGNATUREDOMAINS=", plain, 'S', 0},
		{"exempt", map[string]string{"nosignaturedomains": "example.com\n"}, "", bad, 'D', 'U'},
		{"exempt by variable", nil, "NOSIGNATUREDOMAINS=example.com", plain, 'D', 'S'},
		{"all exempt", map[string]string{"nosignaturedomains": "*\n"}, "", plain, 'D', 'S'},
		{"listed and exempt", map[string]string{"signaturedomains": "example.com\n", "nosignaturedomains": "*\n"}, "", bad, 'U', 0},
		{"one author of two is listed", map[string]string{"signaturedomains": "example.com\n"}, "", "From: eve@example.net, joe@example.com\n\nx\n", 'G', 'S'},
		{"one From of two is listed", map[string]string{"signaturedomains": "example.com\n"}, "", "From: eve@example.net\nFrom: joe@example.com\n\nx\n", 'G', 'S'},
		{"broken From", map[string]string{"signaturedomains": "example.com\n"}, "", "From: eve, <joe@example.com> (\n\nx\n", 'G', 'S'},
		{"one author of two is exempt", map[string]string{"nosignaturedomains": "example.com\n"}, "", "From: eve@example.net, joe@example.com\n\nx\n", 'S', 0},
		{"no author", map[string]string{"nosignaturedomains": "*\n"}, "", "To: x\n\nx\n", 'S', 0},
		{"all listed, no author", map[string]string{"signaturedomains": "*\n"}, "", "To: x\n\nx\n", 'G', 'S'},
		{"cannot be judged", map[string]string{"signaturedomains": "example.com\n"}, "", craft("d=example.com; q=dns"), 'G', 'D'},
		{"blank behind @", map[string]string{"signaturedomains": "example.com\n"}, "", "From: joe@ example.com (\n\nx\n", 'G', 'S'},
		{"comment behind @", map[string]string{"signaturedomains": "example.com\n"}, "", "From: joe@(c)example.com (\n\nx\n", 'G', 'S'},
		{"fold behind @", map[string]string{"signaturedomains": "example.com\n"}, "", "From: <joe@\n example.com\n\nx\n", 'G', 'S'},
		{"NUL behind domain", map[string]string{"signaturedomains": "example.com\n"}, "", "From: joe@example.com\x00\n\nx\n", 'G', 'S'},
		{"VT behind domain", map[string]string{"signaturedomains": "example.com\n"}, "", "From: joe@example.com\x0b\n\nx\n", 'G', 'S'},
		{"quoted domain", map[string]string{"signaturedomains": "example.com\n"}, "", "From: joe@\"example.com\"\n\nx\n", 'G', 'S'},
		{"behind a bare CR", map[string]string{"signaturedomains": "example.com\n"}, "", "X: y\rFrom: joe@example.com\n\nx\n", 'G', 'S'},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			control := filepath.Join(home, "control")
			if err := os.Mkdir(control, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(control, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			out, report, _ := verifyWith(t, testZone(), test.msg, "QMAILHOME="+home, "CONTROLDIR="+control, test.set)
			if v := report.Verdict; v.Letter != test.letter || v.Old != test.old {
				t.Errorf("letter %v before %v, want %v before %v", v.Letter, v.Old, test.letter, test.old)
			}
			if test.old != 0 && !strings.Contains(out, "\n\t(old="+outcomes[test.old].old+")\nAuthentication-Results: mx;\n\tdkim="+test.old.Result()) {
				t.Errorf("labelled\n%s", out)
			}
		})
	}
}

// A list that cannot be read defers mail where mail can be refused at all.
func TestDomainListsTrouble(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"signaturedomains", "nosignaturedomains"} {
		control := t.TempDir()
		if err := os.Mkdir(filepath.Join(control, name), 0o755); err != nil {
			t.Fatal(err)
		}
		_, report, refused := verifyWith(t, testZone(), plain, "CONTROLDIR="+control, "DKIMVERIFY=I")
		want := "Zqmail-dkim: unable to read " + name + ". (#4.3.0)"
		if refused == nil || refused.Text != want || report.Line(1) != "qmail-dkim: refuse pid=1 from=example.com reason=bad-"+name+" cause=is-a-directory\n" {
			t.Errorf("%+v, log %q; want %q", refused, report.Line(1), want)
		}
		for _, set := range []string{"DKIMVERIFY=I;DKIMDRYRUN=", "DKIMVERIFY=", "X="} {
			out, report, refused := verifyWith(t, testZone(), plain, append(strings.Split(set, ";"), "CONTROLDIR="+control)...)
			if refused != nil || !strings.HasSuffix(out, plain) || !strings.HasSuffix(report.Line(1), " verdict=accept warn=bad-"+name+"\n") {
				t.Errorf("%s: %+v, log %q", set, refused, report.Line(1))
			}
		}
	}
}
