package canon

import "testing"

func TestField(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, simple, relaxed string }{
		{"A: X\r\n", "A: X\r\n", "a:X\r\n"},                             // RFC 6376 section 3.4.5
		{"B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},   // and 3.4.6
		{"Subject:a\n  b\n", "Subject:a\r\n  b\r\n", "subject:a b\r\n"}, // as in a queue
		{"Subject:\n\ta", "Subject:\r\n\ta\r\n", "subject:a\r\n"},       // folded first, end of the message
		{"Subject:\n", "Subject:\r\n", "subject:\r\n"},                  // empty
		{"X: a\r\r\n", "X: a\r\r\n", "x:a\r\r\n"},                       // one CR belongs to the line end
		{"X: a \rb\r\n", "X: a \rb\r\n", "x:a \rb\r\n"},                 // no white space by RFC 5234
		{"X: a \n \n b\n", "X: a \r\n \r\n b\r\n", "x:a b\r\n"},         // a line of blanks
		{"X: \xa0a\x0b\n", "X: \xa0a\x0b\r\n", "x:\xa0a\x0b\r\n"},       // nor are these
		{"rubbish\n", "rubbish\r\n", "rubbish:\r\n"},                    // no field
		{"Message-ID:<1@X.example>\n", "Message-ID:<1@X.example>\r\n", "message-id:<1@X.example>\r\n"},
	} {
		if got := Simple.Field([]byte(test.raw)); string(got) != test.simple {
			t.Errorf("simple %q = %q, want %q", test.raw, got, test.simple)
		}
		if got := Relaxed.Field([]byte(test.raw)); string(got) != test.relaxed {
			t.Errorf("relaxed %q = %q, want %q", test.raw, got, test.relaxed)
		}
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, simple, relaxed string }{
		{"S: v=1; b=AA\n\tBB==\n", "S: v=1; b=", "s:v=1; b="},
		{"S: b =\n AA; v=1;\n\tbh=b\n", "S: b =; v=1;\r\n\tbh=b", "s:b =; v=1; bh=b"},
		{"S: bh=AA; b=\n", "S: bh=AA; b=", "s:bh=AA; b="},
		{"S: v=1; bh=AA=\n", "S: v=1; bh=AA=", "s:v=1; bh=AA="},
		{"S: v=1; i=b=c; b=AA;\n\n", "S: v=1; i=b=c; b=;", "s:v=1; i=b=c; b=;"},
		{"b=A; S: b=AA\n", "b=A; S: b=", "b=a; s:b="},
		{"rubbish\n", "rubbish", "rubbish:"},
	} {
		if got := Simple.Signature([]byte(test.raw)); string(got) != test.simple {
			t.Errorf("simple %q = %q, want %q", test.raw, got, test.simple)
		}
		if got := Relaxed.Signature([]byte(test.raw)); string(got) != test.relaxed {
			t.Errorf("relaxed %q = %q, want %q", test.raw, got, test.relaxed)
		}
	}
}
