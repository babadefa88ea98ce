package qmailmaildir

import (
	"testing"

	"ucspi-go/internal/testprog"
)

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }
