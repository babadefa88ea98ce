package qmaildkim

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"ucspi-go/rules"
)

func TestParseOptions(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	for _, test := range []struct {
		text    string
		environ rules.Environ
		want    options
	}{
		{"", nil, options{expire: week}},
		{"-z 2", nil, options{expire: week}},
		{" -z2\t-c\nr ", nil, options{expire: week}},
		{"-c s", nil, options{expire: week, simpleHeader: true, simpleBody: true}},
		{"-ct", nil, options{expire: week, simpleBody: true}},
		{"-tqcu", nil, options{expire: week, query: true, simpleHeader: true}},
		{"-x 60 -i \"a b\"'@x'", nil, options{expire: time.Minute, identity: "a b@x"}},
		{"-x - -i -", nil, options{}},
		{"-x 60 -i a@x", rules.Environ{"DKIMEXPIRE=", "DKIMIDENTITY=b@x"}, options{identity: "b@x"}},
		{"-x -", rules.Environ{"DKIMEXPIRE=2147483647", "DKIMIDENTITY="}, options{expire: (1<<31 - 1) * time.Second}},
		{"-z 4", nil, options{expire: week, ed25519: true}},
		{"-z 1 -b 3 -lh -z 3", nil, options{expire: week, ignored: []string{"-z", "-b", "-l", "-h"}}},
		{"-l -- -z 9", nil, options{expire: week, ignored: []string{"-l", "-z", "9"}}},
		{"-i ''", nil, options{expire: week}},
	} {
		if got, err := parseOptions(test.text, test.environ); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("parseOptions(%q, %q) = %+v, %v; want %+v", test.text, test.environ, got, err, test.want)
		}
	}
	for _, text := range []string{"-Z", "-c", "-c x", "-c rr", "-z", "-z 5", "-z rsa", "-x abc", "-x 0", "-x -5",
		"-x 2147483648", "-x 1s", "-b", "-i", "'-l", "-l \"", "-z ''"} {
		if got, err := parseOptions(text, nil); !errors.Is(err, errOptions) {
			t.Errorf("parseOptions(%q) = %+v, %v; want an error", text, got, err)
		}
	}
	for _, expire := range []string{"0", "-1", "x", " ", "9999999999"} {
		if got, err := parseOptions("", rules.Environ{"DKIMEXPIRE=" + expire}); !errors.Is(err, errOptions) {
			t.Errorf("DKIMEXPIRE=%q: %+v, %v; want an error", expire, got, err)
		}
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		environ rules.Environ
		mode    Mode
		key     string
		asked   string // in order, with "-" before what is not set
	}{
		{nil, ModeVerify, "", "-DKIMSIGN -DKIMVERIFY -RELAYCLIENT -AUTHINFO"},
		{rules.Environ{"DKIMKEY=k"}, ModeVerify, "", "-DKIMSIGN -DKIMVERIFY -RELAYCLIENT -AUTHINFO"},
		{rules.Environ{"DKIMVERIFY="}, ModeVerify, "", "-DKIMSIGN DKIMVERIFY= -RELAYCLIENT_NODKIMVERIFY"},
		{rules.Environ{"DKIMVERIFY=", "RELAYCLIENT=", "DKIMKEY=k"}, ModeVerify, "", "-DKIMSIGN DKIMVERIFY= -RELAYCLIENT_NODKIMVERIFY"},
		{rules.Environ{"DKIMVERIFY=", "RELAYCLIENT_NODKIMVERIFY="}, ModeVerify, "", "-DKIMSIGN DKIMVERIFY= RELAYCLIENT_NODKIMVERIFY= -RELAYCLIENT -AUTHINFO"},
		{rules.Environ{"DKIMVERIFY=", "RELAYCLIENT_NODKIMVERIFY=", "AUTHINFO=a"}, ModeExempt, "", "-DKIMSIGN DKIMVERIFY= RELAYCLIENT_NODKIMVERIFY= -RELAYCLIENT AUTHINFO=a"},
		{rules.Environ{"RELAYCLIENT="}, ModeSign, defaultKey, "-DKIMSIGN -DKIMVERIFY RELAYCLIENT= -DKIMKEY"},
		{rules.Environ{"AUTHINFO="}, ModeSign, defaultKey, "-DKIMSIGN -DKIMVERIFY -RELAYCLIENT AUTHINFO= -DKIMKEY"},
		{rules.Environ{"RELAYCLIENT=", "DKIMKEY=k"}, ModeSign, "k", "-DKIMSIGN -DKIMVERIFY RELAYCLIENT= DKIMKEY=k"},
		{rules.Environ{"RELAYCLIENT=", "DKIMKEY="}, ModeOff, "", "-DKIMSIGN -DKIMVERIFY RELAYCLIENT= DKIMKEY="},
		{rules.Environ{"DKIMSIGN=s", "DKIMKEY=k", "RELAYCLIENT="}, ModeSign, "s", "DKIMSIGN=s"},
		{rules.Environ{"DKIMSIGN=s", "DKIMVERIFY=A"}, ModeSign, "s", "DKIMSIGN=s"},
		{rules.Environ{"DKIMSIGN=", "RELAYCLIENT=", "DKIMKEY=k"}, ModeOff, "", "DKIMSIGN="},
	} {
		mode, key, asked := modeOf(test.environ)
		var words []string
		for _, s := range asked {
			if s.Set {
				words = append(words, s.Name+"="+s.Value)
			} else {
				words = append(words, "-"+s.Name)
			}
		}
		if got := strings.Join(words, " "); mode != test.mode || key != test.key || got != test.asked {
			t.Errorf("modeOf(%q) = %v, %q, %q; want %v, %q, %q", test.environ, mode, key, got, test.mode, test.key, test.asked)
		}
	}
}

func TestLogDescriptor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		environ rules.Environ
		want    int
	}{
		{nil, 2},
		{rules.Environ{"DKIMLOG="}, -1},
		{rules.Environ{"DKIMLOG=5"}, 5},
		{rules.Environ{"DKIMLOG=-1"}, -1},
		{rules.Environ{"DKIMLOG=x"}, -1},
	} {
		if got := logDescriptor(test.environ); got != test.want {
			t.Errorf("logDescriptor(%q) = %d, want %d", test.environ, got, test.want)
		}
	}
}
