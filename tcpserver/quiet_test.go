package tcpserver

import "testing"

// One waits at a time, until a whole wait has gone by without a connection.
func TestQuiet(t *testing.T) {
	t.Parallel()
	var table table
	if !table.arrive() || table.arrive() {
		t.Error("not the first connection alone begins to wait")
	}
	came, ok := table.settled(1)
	if came != 2 || ok {
		t.Errorf("settled with one more connection: %d, %v", came, ok)
	}
	if table.arrive() {
		t.Error("two wait")
	}
	if came, ok = table.settled(came); came != 3 || ok {
		t.Errorf("settled with one more connection: %d, %v", came, ok)
	}
	if _, ok = table.settled(came); !ok {
		t.Error("not settled")
	}
	if !table.arrive() {
		t.Error("nobody waits for the next quiet time")
	}
}
