// Package pages holds the tests of the documents: a user who types what they
// show sees what they show.
package pages

import (
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }
