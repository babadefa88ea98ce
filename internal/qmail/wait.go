package qmail

import "syscall"

// Wait waits for a queue program that was started as process pid. A signal
// that this process handles does not end the waiting.
func Wait(pid int) (syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR {
			return status, err
		}
	}
}
