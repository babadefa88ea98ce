package rblsmtpd

import (
	"context"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
)

// usage is C's, which names an option -R that there is not.
const usage = "rblsmtpd [ -b ] [ -R ] [ -t timeout ] [ -r base ] [ -a base ] smtpd [ arg ... ]"

// options are those that concern no list.
type options struct {
	timeout uint64 // -t: of the session, in seconds; 0 means no session
}

// carryOut carries the options out in their order, lookups included, and
// returns the program with its arguments. An option concerns the lists that
// come after it: "-r a -b -r b" bounces for b alone.
//
// Unlike rblsmtpd 0.88 there is -T: from there on lists are asked as 0.88
// does.
func (o *options) carryOut(ctx context.Context, args []string, c *check) (program []string, err error) {
	for opt, arg := range getopt.Parse(&args, "bBcCTt:r:a:") {
		switch opt {
		case 'b', 'B':
			c.bounce = opt == 'b'
		case 'c', 'C':
			c.failClosed = opt == 'c'
		case 'T':
			c.textOnly = true
		case 't':
			o.timeout = prog.Leading(arg)
		case 'r':
			c.list(ctx, arg)
		case 'a':
			c.antiList(ctx, arg)
		default:
			return nil, prog.Usage(usage, arg)
		}
	}
	if len(args) == 0 {
		return nil, prog.Usage(usage, "")
	}
	return args, nil
}
