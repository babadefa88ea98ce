package qmailqueue

import "testing"

func TestInvoker(t *testing.T) {
	const passwd = "root:x:0:0::/root:/bin/sh\nqmaildx:x:7:7::/:/\n#qmaild:x:9:9\nalias:x:7790:2108::/:/\nqmaild:x:7791:2108::/:/\nqmails:x:7796:2107::/:/\nbroken\n"
	tests := []struct {
		uid    int
		passwd string
		want   string
	}{
		{7790, passwd, "by alias"},
		{7791, passwd, "from network"},
		{7796, passwd, "for bounce"},
		{0, passwd, "by uid 0"},
		{7, passwd, "by uid 7"},
		{7791, "", "by uid 7791"},
		{0, "qmaild:x:none:0::/:/\n", "by uid 0"},
		{7791, "qmaild:x:7791:2108::/:/", "from network"},
	}
	for _, tt := range tests {
		if got := invoker(tt.uid, []byte(tt.passwd)); got != tt.want {
			t.Errorf("invoker(%d) = %q, want %q", tt.uid, got, tt.want)
		}
	}
}
