package qmaildkim

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// A libraryText is an error of go-msgauth, our letter for it, and a message
// that has it come.
type libraryText struct {
	class, text string // "..." stands for the details of another error
	letter      Letter
	msg         string
	records     []string // of the key; nil for those of the tests
}

// libraryTexts are all errors of its three classes that go-msgauth v0.7.0
// makes when it verifies.
var libraryTexts = []libraryText{
	{"perm", "malformed signature tags: ...", 'H', craft("d=example.com; rubbish"), nil},
	{"perm", "incompatible signature version", 'W', replace("v=1", "v=2")(craft("d=example.com")), nil},
	{"perm", "signature missing required tag", 'H', craft("r=y"), nil},
	{"perm", "domain mismatch", 'Y', craft("d=example.com; i=joe@example.org"), nil},
	{"perm", "From field not signed", 'H', replace("h=from:", "h=")(craft("d=example.com")), nil},
	{"perm", "malformed time: ...", 'H', craft("d=example.com; t=now"), nil},
	{"perm", "malformed expiration time: ...", 'H', craft("d=example.com; x=soon"), nil},
	{"perm", "signature has expired", 'K', craft("d=example.com; x=1"), nil},
	{"perm", "unsupported public key query method", 'H', craft("d=example.com; q=finger"), nil},
	{"perm", "malformed algorithm name", 'H', replace("ed25519-sha256", "ed25519")(craft("d=example.com")), nil},
	{"perm", "inappropriate hash algorithm", 'V', craft("d=example.com"), []string{edRecord() + "; h=sha512"}},
	{"perm", "hash algorithm too weak: %v", 'V', replace("ed25519-sha256", "rsa-sha1")(craft("d=example.com")), nil},
	{"perm", "unsupported hash algorithm", 'H', replace("ed25519-sha256", "ed25519-md5")(craft("d=example.com")), nil},
	{"perm", "inappropriate key algorithm", 'V', replace("ed25519-sha256", "rsa-sha256")(craft("d=example.com")), nil},
	{"perm", "inappropriate service", 'L', craft("d=example.com"), []string{edRecord() + "; s=tlsrpt"}},
	{"perm", "unsupported header canonicalization algorithm", 'H', replace("c=relaxed", "c=nowsp")(craft("d=example.com")), nil},
	{"perm", "unsupported body canonicalization algorithm", 'H', replace("/relaxed", "/nowsp")(craft("d=example.com")), nil},
	{"fail", "message contains an insecure body length tag", 'E', craft("d=example.com; l=5"), nil},
	{"perm", "malformed body hash: ...", 'H', replace("bh=", "bh=!")(craft("d=example.com")), nil},
	{"perm", "malformed signature: ...", 'H', replace(" b=", " b=!")(craft("d=example.com")), nil},
	{"fail", "body hash did not verify", 'U', replace("Hi.", "Hello.")(craft("d=example.com")), nil},
	{"fail", "signature did not verify: ...", 'I', replace("dinner", "lunch")(craft("d=example.com")), nil},
	{"temp", "key unavailable: ...", 'P', craft("d=late.example"), nil},
	{"perm", "no key for signature: ...", 'Q', replace("s=ed", "s=e..d")(craft("d=example.com")), nil},
	{"perm", "no valid key found", 'Q', craft("d=none.example"), nil},
	{"perm", "multiple TXT records found for key", 'L', craft("d=example.com"), []string{edRecord(), edRecord()}},
	{"perm", "key record error: ...", 'L', craft("d=example.com"), []string{"rubbish"}},
	{"perm", "incompatible public key version", 'L', craft("d=example.com"), []string{"v=DKIM2; p=AAAA"}},
	{"perm", "key syntax error: missing public key data", 'L', craft("d=example.com"), []string{"v=DKIM1"}},
	{"perm", "key revoked", 'N', craft("d=example.com"), []string{"p="}},
	{"perm", "key syntax error: ...", 'R', craft("d=example.com"), []string{"p=!"}},
	{"perm", "key syntax error: ...", 'R', craft("d=example.com"), []string{"p=AAAA"}},
	{"perm", "key syntax error: not an RSA public key", 'R', craft("d=example.com"), []string{"p=" + ecKey}},
	{"perm", "key is too short: want 1024 bits, has %v bits", 'R', craft("d=example.com"), []string{shortRecord}},
	{"perm", "invalid Ed25519 public key size: %v bytes", 'R', craft("d=example.com"), []string{"k=ed25519; p=AAAA"}},
	{"perm", "unsupported key algorithm", 'L', craft("d=example.com"), []string{"k=dsa; p=AAAA"}},
}

// libraryPlain are the errors that go-msgauth v0.7.0 makes outside of these
// classes: details of others, and two that it returns for the whole message.
var libraryPlain = []string{
	"failed to read header: %v", // not of a header that we have closed
	"dkim: too many signatures", // beside the results
	"dkim: malformed header params",
	"dkim: duplicate tag name",
	"dkim: invalid Ed25519 signature",
}

// ecKey is a public key on the curve P-256, made for this test.
const ecKey = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE27uyhj96CV7sQ99OVzN50/mzGK1GDwXWNZ8CVuWlabbjESHcJtV7mrIb3LbWRMFZCwLDBp8q6VDZIZtbu+aROQ=="

// TestLetterOfEveryLibraryError has the library return each of its errors.
func TestLetterOfEveryLibraryError(t *testing.T) {
	t.Parallel()
	for _, test := range libraryTexts {
		z := zone{keyOfEd: {edRecord()}, "ed._domainkey.late.example": nil}
		if test.records != nil {
			z[keyOfEd] = test.records
		}
		h, s := spoolOf(t, test.msg)
		results, err := dkim.VerifyWithOptions(s.Reader(), &dkim.VerifyOptions{LookupTXT: (&keyring{
			ctx: t.Context(), lookup: z.lookupTXT, keys: make(map[string]*publishedKey)}).lookupTXT})
		if err != nil || len(results) != 1 {
			t.Errorf("%q: %v, %v", test.text, results, err)
			continue
		}
		before, after, _ := strings.Cut(strings.Replace(test.text, "...", "%v", 1), "%v")
		if got := results[0].Err; got == nil || !strings.HasPrefix(got.Error(), errorPrefix+before) || !strings.HasSuffix(got.Error(), after) {
			t.Errorf("the library says %v, want %q", got, test.text)
		}
		if v := (verifier{lookupTXT: z.lookupTXT}).verify(t.Context(), h, s, ""); v.Letter != test.letter {
			t.Errorf("%q: verdict %v (%+v), want %v", test.text, v.Letter, v.Signatures, test.letter)
		}
	}
	for _, e := range libraryErrors {
		if !slices.ContainsFunc(libraryTexts, func(l libraryText) bool { return strings.HasPrefix(l.text, e.text) && l.letter == e.letter }) {
			t.Errorf("%v for %q is in no test", e.letter, e.text)
		}
	}
}

// TestLibraryErrorsArePinned reads the source of the go-msgauth in use: a
// version with an error more, or less, or in another class, cannot go unnoticed.
func TestLibraryErrorsArePinned(t *testing.T) {
	t.Parallel()
	want := make(map[string]int)
	for _, l := range libraryTexts {
		want[l.class+" "+l.text]++
	}
	for _, text := range libraryPlain {
		want["plain "+text]++
	}
	files, err := filepath.Glob(filepath.Join(libraryDir(t), "dkim", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "sign.go" { // has errors of wrong options
			continue
		}
		for _, text := range errorTexts(t, name) {
			got[text]++
		}
	}
	for _, text := range slices.Sorted(maps.Keys(got)) {
		if got[text] != want[text] {
			t.Errorf("the library has the error %q %d times, pinned are %d", text, got[text], want[text])
		}
	}
	for _, text := range slices.Sorted(maps.Keys(want)) {
		if got[text] == 0 {
			t.Errorf("the library has no error %q", text)
		}
	}
}

// libraryDir returns the folder of the go-msgauth module in use.
func libraryDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/emersion/go-msgauth").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// errorTexts returns the errors that a source file makes, each as its class
// and the text or format, "..." for what is appended to it.
func errorTexts(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		class := ""
		switch f := call.Fun.(type) {
		case *ast.Ident:
			class = map[string]string{"permFailError": "perm", "tempFailError": "temp", "failError": "fail"}[f.Name]
		case *ast.SelectorExpr:
			if f.Sel.Name == "Errorf" || f.Sel.Name == "New" && f.X.(*ast.Ident).Name == "errors" {
				class = "plain"
			}
		}
		if class != "" {
			texts = append(texts, class+" "+errorText(t, call.Args[0]))
		}
		return true
	})
	return texts
}

// errorText returns the text of an expression: a literal, one with something
// appended, or the format of a call.
func errorText(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.BinaryExpr:
		return errorText(t, e.X) + "..."
	case *ast.CallExpr:
		return errorText(t, e.Args[0])
	}
	t.Errorf("an error whose text is no literal: %#v", e)
	return ""
}
