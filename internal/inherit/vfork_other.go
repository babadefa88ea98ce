//go:build !amd64 && !arm64

package inherit

// startVfork is not there on other processors.
func startVfork(p *Program) (pid int, err error, ok bool) { return 0, nil, false }
